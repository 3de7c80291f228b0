"""The version of the program, read from here by the build, too."""

VERSION = "0.1.0"
