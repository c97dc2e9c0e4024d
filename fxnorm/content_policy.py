"""What a page of ours may do in a browser: run its own script, and nothing else."""

import base64
import hashlib


def content_policy(style: str, script: str, *, scripts: str = "", connect: str = "'none'") -> str:
    """A Content-Security-Policy that allows one style and one script, by their hashes.

    Args:
        style: what stands between `<style>` and `</style>`.
        script: what stands between `<script>` and `</script>`.
        scripts: sources of further scripts.
        connect: where the script may send to.
    """
    rules = {
        "default-src": "'none'",
        "script-src": f"{_hash(script)} {scripts}".strip(),
        "style-src": _hash(style),
        "img-src": "data:",
        "connect-src": connect,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
