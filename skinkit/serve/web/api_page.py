"""The page `/docs`: all routes of the API, without a script and without anything from elsewhere."""

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body>
<h1>{title} {version}</h1>
<p><strong>{description}</strong></p>
<p>The same for programs: <a href="openapi.json">openapi.json</a>. Every error is
<code>application/problem+json</code>.</p>
{routes}
</body>
</html>
"""


def api_page(schema):
    """Returns the page as HTML.

    Args:
        schema: Dictionary, the OpenAPI schema of the application.
    """
    said = {name: escape(schema["info"][name]) for name in ("title", "version", "description")}
    routes = [
        _route(method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return _PAGE.format(**said, routes="\n".join(routes))


def _route(method, path, operation):
    taken = [
        f"{each['name']}: {each.get('description', each['in'])}" for each in operation.get("parameters", ())
    ]
    form = (
        operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {}).get("schema", {})
    )
    taken += [f"{name}: file of multipart/form-data" for name in form.get("properties", ())]
    answers = [f"{status}: {each['description']}" for status, each in sorted(operation["responses"].items())]
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>\n<p>{escape(operation['description'])}</p>\n"
        f"{_list(taken)}<p>Answers:</p>\n{_list(answers)}"
    )


def _list(items):
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>\n" if items else ""
