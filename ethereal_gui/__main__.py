"""``python -m ethereal_gui`` is the ``ethereal`` command."""

from ethereal_gui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
