"""
`shuniu forms`: the form templates, and whether they fit the kinds of work order.
"""

from typing import Annotated

import typer
from rich.table import Table

from gateway.access.catalogue import Catalogue
from gateway.autofill.template_loader import load_forms
from gateway.autofill.templates import FormTemplate
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.options import Json
from gateway.settings import Settings

forms_app = typer.Typer(no_args_is_help=True, help="The forms that are filled by themselves.")


@forms_app.command("check")
def forms_check() -> None:
    """
    Check every template against the vocabulary and against what its kinds of work order grant.

    Example: shuniu forms check
    """
    forms = load_forms()
    forms.check(Catalogue.load(modes=Settings().kinds))
    count = sum(len(form.fields) for form in forms)
    say.print(f"{len(list(forms))} forms with {count} fields fit the catalogue.", markup=False)


@forms_app.command("show")
def forms_show(
    name: Annotated[str, typer.Argument(help="a form; without it, all of them")] = "", *, json_output: Json = False
) -> None:
    """
    List the forms, or show one with its fields and where each comes from.

    Example: shuniu forms show service
    """
    forms = load_forms()
    if name and forms.get(name) is None:
        fail(f"There is no form of this name. There are: {', '.join(form.id for form in forms)}.", Exit.NOT_FOUND)
    chosen = [form for form in forms if name in {"", form.id}]
    if json_output:
        as_document([_document(form) for form in chosen])
        return
    if not name:
        table = Table(box=None, header_style="dim", pad_edge=False)
        for column in ("form", "", "kinds of work order", "within", "fields"):
            table.add_column(column, overflow="fold")
        for form in chosen:
            hours = int(form.lasts.total_seconds() // 3600)
            table.add_row(form.id, f"{form.zh}\n{form.en}", "\n".join(form.kinds), f"{hours} h", str(len(form.fields)))
        show.print(table)
        return
    (form,) = chosen
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("field", "", "from", "of", "written", "mask", "required"):
        table.add_column(column, overflow="fold")
    for one in form.fields:
        table.add_row(
            one.name,
            f"{one.zh}\n{one.en}",
            "\n".join(map(str, one.origins)),
            ", ".join(sorted(one.roles)) or "all",
            "" if one.transform is None else one.transform.value,
            "" if one.mask is None else one.mask.value,
            "yes" if one.required else "",
        )
    show.print(table)


def _document(form: FormTemplate) -> dict[str, object]:
    return {
        "form": form.id,
        "zh": form.zh,
        "en": form.en,
        "kinds": list(form.kinds),
        "hours": int(form.lasts.total_seconds() // 3600),
        "fields": [
            {
                "name": one.name,
                "zh": one.zh,
                "en": one.en,
                "from": [str(origin) for origin in one.origins],
                "roles": sorted(one.roles),
                "required": one.required,
                "as": one.transform,
                "mask": one.mask,
            }
            for one in form.fields
        ],
    }
