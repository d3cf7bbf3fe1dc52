"""
The program `shuniu`: the command line with the commands of the demo.
"""

from gateway.cli.app import app, main
from gateway.demo.commands import demo, serve, token

for command in (serve, demo, token):
    app.command()(command)

if __name__ == "__main__":
    main()
