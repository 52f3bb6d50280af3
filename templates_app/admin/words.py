"""What the scripts of the editor say and offer, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def texts() -> dict[str, str]:
    """What the scripts say, in the reader's language."""
    return {
        "default": _("for everybody"),
        "checking": _("checking…"),
        "away": _("The server cannot be reached. Your text is still here; trying again…"),
        "signedOut": _("You are signed out. Sign in in another tab; your text is still here."),
        "refused": _("The server could not check this."),
        "goOn": _(
            "There are changes that are not saved, and this step is about what is. Go on without them?"
        ),
        "fine": _("No problems found."),
        "noSample": _("without a sample"),
        "recent": _("Recent messages"),
        "samples": _("Samples"),
        "newVariant": _("not saved yet"),
        "removed": _("will be removed"),
        "missing": _("Write %s"),
        "twice": _("There is such a variant already."),
        "variables": _("Variables"),
        "line": _("line %s"),
        "insert": _("Insert:"),
        "onlyIf": _("only if…"),
        "forEach": _("for each…"),
        "layout": _("layout"),
        "snippet": _("snippet"),
        "name": _("Name"),
        "type": _("Type"),
        "required": _("Required"),
        "description": _("Description"),
        "value": _("Value in the sample"),
        "addItem": _("Add to %s"),
        "addVariable": _("Add a variable"),
        "removeVariable": _("Remove"),
        "sample": _("Sample"),
        "newSample": _("New sample"),
        "removeSample": _("Remove this sample"),
        "sampleName": _("Name of the sample"),
        "untitled": _("Sample %s"),
        "found": _("In the text, but not declared:"),
        "declare": _("Declare"),
        "takeOver": _("Take over from the text"),
        "notJson": _("This is not JSON, so that it cannot be shown as a table."),
        "inherited": _("of the recipient"),
        "wayOut": _("link for unsubscribing"),
        "string": pgettext("type", "Text"),
        "number": _("Number"),
        "integer": _("Whole number"),
        "boolean": _("Yes or no"),
        "date": _("Date"),
        "dateTime": _("Date and time"),
        "uri": _("Link"),
        "email": _("Email address"),
        "array": _("List"),
        "object": pgettext("type", "Group"),
        "other": _("Other"),
        "yes": _("yes"),
        "no": _("no"),
    }


def filters() -> dict[str, str]:
    """The filters of the engine that people need, with what each does."""
    return {
        "abs": _("without its sign"),
        "capitalize": _("first letter large"),
        "default": _("another text where it is missing"),
        "dictsort": _("names and values, sorted"),
        "escape": _("safe within HTML"),
        "first": _("the first one"),
        "float": _("as a number"),
        "groupby": _("in groups"),
        "indent": _("lines moved in"),
        "int": _("as a whole number"),
        "items": _("names with values"),
        "join": _("put together with"),
        "last": _("the last one"),
        "length": _("how many"),
        "lines": _("line by line"),
        "lower": _("small letters"),
        "map": _("one member of each"),
        "max": _("the largest"),
        "min": _("the smallest"),
        "rejectattr": _("without those whose"),
        "replace": _("one text for another"),
        "reverse": _("the other way round"),
        "round": _("rounded to places"),
        "selectattr": _("only those whose"),
        "slice": _("in columns"),
        "sort": _("sorted"),
        "split": _("parted at"),
        "string": _("as text"),
        "sum": _("added up"),
        "title": _("Each Word Large"),
        "tojson": _("as JSON"),
        "trim": _("without blanks around"),
        "unique": _("each once"),
        "upper": _("LARGE LETTERS"),
        "urlencode": _("safe within a link"),
    }


def tags() -> dict[str, str]:
    """The tags of the engine that people need."""
    return {
        "if": _("only where something holds"),
        "elif": _("or else where"),
        "else": _("in all other cases"),
        "endif": _("end of if"),
        "for": _("for each of a list"),
        "endfor": _("end of for"),
        "set": _("give a name to a value"),
        "extends": _("within a layout"),
        "include": _("a snippet in this place"),
        "block": _("a part of a layout"),
        "endblock": _("end of block"),
    }
