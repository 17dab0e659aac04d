"""The part of fsspec that this program uses."""
