"""The workflows of this project.

Without this file an installed package of the same name would be used.
"""
