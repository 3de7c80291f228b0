"""What the program talks about: frozen data, no input or output, no third party."""
