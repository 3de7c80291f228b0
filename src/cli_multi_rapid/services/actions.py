"""The built-in actions of `uses:`, put together for one project."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli_multi_rapid.model.actions import TEMPLATES, Action, ActionDone, ActionInput, is_template
from cli_multi_rapid.model.process import Command
from cli_multi_rapid.services.contract_actions import contract_actions
from cli_multi_rapid.services.keeping import Keeping
from cli_multi_rapid.services.wiring import Project
from cli_multi_rapid.system.files import PathRefused, read_inside, write_inside
from cli_multi_rapid.system.landing import Landed, Landing

_TEMPLATE_BYTES = 1 << 20
_RENDER_S = 30.0
_NOTIFY_S = 30.0


def actions_of(project: Project, keeping: Keeping | None, *, branch: str = "") -> Mapping[str, Action]:
    """Return the actions by name. With `branch` what would be joined into another one is left there instead."""
    git = _Git(keeping, branch)
    return {
        "git.merge": git.merge, "git.revert": git.revert, "template.render": _render, "notify": _notify,
        **contract_actions(project),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Git:
    keeping: Keeping | None
    branch: str

    async def merge(self, given: ActionInput) -> ActionDone:
        return await asyncio.to_thread(self._merge, given)

    async def revert(self, given: ActionInput) -> ActionDone:
        return await asyncio.to_thread(self._revert, given)

    def _merge(self, given: ActionInput) -> ActionDone:
        if given.commit == given.base:
            return ActionDone(said="nothing was changed, so there is nothing to join", outputs={"how": "nothing"})
        branch = self.branch or str(given.values.get("branch", ""))
        if branch:
            return _done(self._landing().leave(branch, given.commit))
        into = str(given.values.get("into", ""))
        if not into:
            return ActionDone(failed="it does not say where to", fix="write  with: {into: main}, or  branch: NAME")
        message = str(given.values.get("message", "")) or f"Merge what run {given.run} has made"
        return _done(self._landing().join(into, given.commit, key=given.key, message=f"{message}\n\nrun {given.run}\n"))

    def _revert(self, given: ActionInput) -> ActionDone:
        branch, before, after = (str(given.undoes.get(name, "")) for name in ("branch", "before", "after"))
        if not branch or not after:
            return ActionDone(said="nothing had been joined")
        if not before:
            return _done(self._landing().remove(branch, after))
        message = f"Take back what run {given.run} has made\n\nThis takes back {after}.\n"
        return _done(self._landing().take_back(branch, before, after, message=message))

    def _landing(self) -> Landing:
        assert self.keeping is not None  # a worktree, which these need, has one
        return Landing(self.keeping.repository, self.keeping.refs)


def _done(landed: Landed) -> ActionDone:
    if landed.refused:
        return ActionDone(failed=landed.refused, fix=landed.fix)
    outputs: dict[str, object] = {
        "branch": landed.branch, "before": landed.before, "after": landed.after, "how": landed.how,
    }  # fmt: skip
    now = f", now {landed.after[:12]}" if landed.after else ""
    return ActionDone(outputs=outputs, said=f"{landed.branch}: {landed.how}{now}")


async def _render(given: ActionInput) -> ActionDone:
    path = str(given.values["template"])
    if not is_template(path):
        return ActionDone(failed=f"'{path}' is not the path of a template", fix=f"write  {TEMPLATES}NAME.j2")
    try:
        template = read_inside(given.root, path, limit_bytes=_TEMPLATE_BYTES).decode("utf-8")
    except (PathRefused, UnicodeError) as refused:
        return ActionDone(failed=f"{path}: {refused}")
    request, result = Path(given.out, "request.json"), Path(given.out, "rendered")
    try:
        return await _filled(given, template, request, result)
    finally:  # values may be secrets
        request.unlink(missing_ok=True)
        result.unlink(missing_ok=True)


async def _filled(given: ActionInput, template: str, request: Path, result: Path) -> ActionDone:
    from cli_multi_rapid.system.rendering import argv

    path, to = str(given.values["template"]), str(given.values["to"])
    values = {**given.contexts, **{k: v for k, v in given.values.items() if k not in ("template", "to")}}
    request.write_text(json.dumps({"template": template, "name": path, "values": _plain(values)}), "utf-8")
    log = Path(given.out, "log")
    assert given.execute is not None
    ended = await given.execute(
        Command(
            argv=argv(request, result), cwd=given.out, env=given.environ, log=str(log), tag="", timeout_s=_RENDER_S,
        )
    )  # fmt: skip
    if ended.code != 0:
        said = log.read_text("utf-8", errors="replace").strip().splitlines()
        killed = said[-1] if said else "it was killed: too much memory or time"
        return ActionDone(
            failed=f"the template cannot be filled in: {'it took too long' if ended.timed_out else killed}"
        )
    try:
        write_inside(given.root, to, result.read_bytes())
    except PathRefused as refused:
        return ActionDone(failed=f"it cannot be written: {refused}")
    return ActionDone(outputs={"path": to}, said=f"wrote {to}")


def _plain(value: object) -> object:
    """Return what expressions see as plain data."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


async def _notify(given: ActionInput) -> ActionDone:
    from cli_multi_rapid.system.webhook import post_json

    address = str(given.values.get("to", "") or given.environ.get("CMR_ALERT_URL", ""))
    if not address:
        return ActionDone(skipped="not sent: there is no address; set CMR_ALERT_URL, or write  with: {to: ...}")
    payload = {"text": str(given.values["text"]), "run": given.run, "step": given.key}
    try:
        async with asyncio.timeout(_NOTIFY_S):
            wrong = await _apart(lambda: post_json(address, payload))
    except TimeoutError:
        wrong = f"the receiver took longer than {_NOTIFY_S:g} s"
    return ActionDone(failed=wrong) if wrong else ActionDone(said="sent")


async def _apart(work: Callable[[], str]) -> str:
    """Do work in a thread for which neither the loop nor the end of the process waits."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()

    def settle(said: str) -> None:
        if not ended.done():
            ended.set_result(said)

    def run() -> None:
        try:
            said = work()
        except Exception as wrong:  # noqa: BLE001  nobody else would hear of it
            said = f"it could not be sent: {type(wrong).__name__}"
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, said)

    threading.Thread(target=run, name="notify", daemon=True).start()
    return await ended
