"""
Commands that are imported when they are used: the top of the command line knows their names and summaries only.

Importing all of them takes seconds, which `shuniu --version` and `--help` need not wait for.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(TyperCommand):
    """A command or a group of commands at `target` (`module:attribute`), known by its summary until it is loaded."""

    def __init__(self, name: str, target: str, summary: str, panel: str) -> None:
        super().__init__(name, help=summary, rich_help_panel=panel)
        self.target = target

    def load(self) -> Any:
        """Imports the module and builds the command."""
        module, _, attribute = self.target.partition(":")
        target = getattr(import_module(module), attribute)
        if isinstance(target, typer.Typer):
            command: Any = typer.main.get_group(target)
        else:
            single = typer.Typer(add_completion=False)
            single.command()(target)
            command = typer.main.get_command(single)
        command.name = self.name
        return command


class LazyGroup(TyperGroup):
    """A group that loads a `LazyCommand` when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest


def lazy_app(panels: dict[str, dict[str, tuple[str, str]]], **settings: Any) -> typer.Typer:
    """The top of a command line; `panels` are titles with commands: name, target and summary."""
    commands = {
        name: LazyCommand(name, target, summary, panel)
        for panel, entries in panels.items()
        for name, (target, summary) in entries.items()
    }

    class _Top(LazyGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes | {"commands": commands})

    return typer.Typer(cls=_Top, **settings)
