"""
The program `shuniu`: all its commands, in an order by job, each imported when it is used.
"""

from typing import Final

from gateway.cli.app import make_app, run

# The summary is the first line of the command's own help; a test compares them.
COMMANDS: Final = {
    "Try it": {
        "demo": (
            "gateway.demo.commands:demo",
            "Show the main job: a clerk gets answers from three agencies, and the log shows every one.",
        ),
        "token": (
            "gateway.demo.commands:token",
            "Print an access token of the demo's sign-on server (demo only).",
        ),
    },
    "Run a hub": {
        "init": (
            "gateway.cli.installation:init",
            "Make a new installation in SHUNIU_FOLDER: keys, bundled database, empty log.",
        ),
        "database": ("gateway.cli.installation:database_app", "The hub's database."),
        "org": ("gateway.cli.org:org_app", "The court's tree: units, people, roles."),
        "serve": (
            "gateway.demo.commands:serve",
            "Serve the hub over HTTP until Ctrl-C or SIGTERM; what is in flight is answered first.",
        ),
        "worker": (
            "gateway.cli.worker:worker",
            "Fill forms until Ctrl-C, beside any number of hubs and other workers on the same database.",
        ),
    },
    "Use a hub": {
        "lookup": (
            "gateway.cli.lookup:lookup",
            "Look up a party of a work order.  The identifier is read from stdin or a prompt, never from an argument.",
        ),
        "access": ("gateway.cli.access:access_app", "Who may look up whom, and why."),
        "agencies": ("gateway.cli.agencies:agencies_app", "The agencies and what they can be asked."),
        "forms": ("gateway.cli.forms:forms_app", "The forms that are filled automatically."),
        "autofill": ("gateway.cli.autofill:autofill_app", "The forms that are being filled."),
        "callbacks": ("gateway.cli.callbacks:callbacks_app", "Callbacks to ticket systems: receivers and deliveries."),
    },
    "Inspect": {
        "audit": ("gateway.cli.audit:audit_app", "The audit log: check it, export it, search it."),
    },
}

app = make_app(COMMANDS)


def main() -> None:
    """The entry point."""
    run(app)


if __name__ == "__main__":
    main()
