"""Ethereal: a queue manager that turns songs into audio-reactive videos."""

__version__ = "0.1.0"
