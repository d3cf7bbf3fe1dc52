"""
`shuniu forms`: the form templates, and whether they fit the kinds of work order.
"""

from typing import Annotated

import typer

from gateway.access.catalogue import Catalogue
from gateway.autofill.template_loader import load_forms
from gateway.autofill.templates import FormTemplate
from gateway.cli.console import Exit, as_document, fail, say, show
from gateway.cli.folding_table import FoldingTable
from gateway.cli.options import Json
from gateway.settings import Settings

forms_app = typer.Typer(no_args_is_help=True, help="The forms that are filled automatically.")


@forms_app.command("check")
def forms_check() -> None:
    """
    Check every template against the vocabulary and against what its kinds of work order grant.

    Example: shuniu forms check
    """
    forms = load_forms()
    forms.check(Catalogue.load(overrides=Settings().kinds))
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
        table = FoldingTable("form", "", "kinds of work order", "within", "fields")
        for form in chosen:
            hours = int(form.lasts.total_seconds() // 3600)
            table.add_row(form.id, f"{form.zh}\n{form.en}", "\n".join(form.kinds), f"{hours} h", str(len(form.fields)))
        show.print(table)
        return
    (form,) = chosen
    table = FoldingTable("field", "", "from", "of", "written", "mask", "required")
    for field in form.fields:
        table.add_row(
            field.name,
            f"{field.zh}\n{field.en}",
            "\n".join(map(str, field.origins)),
            ", ".join(sorted(field.roles)) or "all",
            "" if field.transform is None else field.transform.value,
            "" if field.mask is None else field.mask.value,
            "yes" if field.required else "",
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
                "name": field.name,
                "zh": field.zh,
                "en": field.en,
                "from": [str(origin) for origin in field.origins],
                "roles": sorted(field.roles),
                "required": field.required,
                "as": field.transform,
                "mask": field.mask,
            }
            for field in form.fields
        ],
    }
