"""
Options that several commands share.
"""

from typing import Annotated

import typer

from schemas.codes import IdType

DEFAULT_HUB = "http://127.0.0.1:8080"

HubAddress = Annotated[str, typer.Option("--hub", envvar="SHUNIU_HUB", help="address of the hub")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document on stdout")]
IdTypeOption = Annotated[IdType, typer.Option("--id-type", help="type of the identifier")]
