"""Kinds of values on the command lines of scripts and tests, for argparse's `type`."""

import argparse
import os
import pathlib


def program(text):
    """A program that can be run, as an absolute path. A default must be a text to be looked at."""
    path = pathlib.Path(text).resolve()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise argparse.ArgumentTypeError(f"no program {text} (scripts/build tests makes wirelag's)")
    return path
