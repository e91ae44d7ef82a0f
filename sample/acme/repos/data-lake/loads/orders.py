"""Loads yesterday's orders."""
