"""A supervisor of shell scripts, run as a program of its own: each argument is ``name=script``."""

import sys

from pushcenter.supervisor import Program, Supervisor


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(*arguments: str) -> None:
    named = [argument.partition("=") for argument in arguments]
    programs = [Program(name=name, command=("sh", "-c", script)) for name, _, script in named]
    Supervisor(programs, say=say, first_pause=0.1).run()
    say("all quiet")


if __name__ == "__main__":
    main(*sys.argv[1:])
