"""`python -m gonogo` and the `gonogo` script."""

from gonogo.cli import main

if __name__ == "__main__":
    main(prog_name="gonogo")
