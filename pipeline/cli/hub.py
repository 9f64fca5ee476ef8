"""The commands that meet the Hub: push, pull, verify and withdraw.

Each imports what it needs when it runs, so that the other commands start without the Hub's client.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignrec.pipeline.cli.convert import converted
from alignrec.pipeline.cli.output import say
from alignrec.pipeline.cli.plugins import Plugins

if TYPE_CHECKING:
    from alignrec.export.hub.push import PushResult

Release = Annotated[Path, typer.Argument(help="The release folder, such as runs/NAME/release.")]
Repository = Annotated[str, typer.Argument(help="The dataset repository, OWNER/NAME.")]
Reference = Annotated[
    str, typer.Argument(help="OWNER/NAME, or OWNER/NAME@X.Y.Z; without a version the highest.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def push(
    release: Release,
    repo: Repository,
    version: Annotated[str, typer.Option(help="The version to publish, X.Y.Z.")],
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody read it; private otherwise.")
    ] = False,
    with_images: Annotated[
        bool, typer.Option("--with-images", help="Take the items' pictures along; they stay here otherwise.")
    ] = False,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="With --with-images: the config of the release's run.")
    ] = Path("alignrec.yaml"),
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only list what would be sent, and write the card beside the release."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish a release as an immutable version of a Hub dataset.

    The token comes from HF_TOKEN or `hf auth login`. A version never changes: the same content again is
    a success, other content is refused. Interrupted, the same command goes on.
    """
    from alignrec.export.hub.published_as import note_published
    from alignrec.export.hub.push import push as push_release

    _bars_on_terminals_only()
    with _with_pictures(release, config) if with_images else nullcontext(release) as folder:
        result = push_release(
            folder,
            repo,
            version,
            public=public,
            with_images=with_images,
            dry_run=dry_run,
            with_progress=lambda line: say(line, err=True),
        )
    if not dry_run:
        note_published(release, result.repo, result.version)
    if result.card is not None:
        from alignrec.core.files import write_bytes

        written = _card_file(release)
        write_bytes(written, result.card.encode())
    say(json.dumps(asdict(result)) if as_json else _described(result))
    if result.card is not None and not as_json:
        say(f"  read its card in {written}")


def _card_file(release: Path) -> Path:
    """Where a dry run leaves the card to read: beside the release, which holds no file but its own."""
    release = release.resolve()
    return release.with_name(f"{release.name}-card.md")


@contextmanager
def _with_pictures(release: Path, config: Path) -> Iterator[Path]:
    """A copy of a release with its items' pictures, for the block; the release itself if it has them."""
    from alignrec.core.files import temporary_folder
    from alignrec.export.release.images import add_images
    from alignrec.export.release.manifest import Manifest
    from alignrec.pipeline.catalog.original_images import item_pictures
    from alignrec.pipeline.config.file import load_config

    manifest = Manifest.read(release)
    with temporary_folder(release) as scratch:
        folder = release
        if not manifest.images:
            folder = scratch / release.name
            manifest = add_images(release, item_pictures(load_config(config), release), folder)
        count, size = (sum(getattr(one, what) or 0 for one in manifest.images) for what in ("rows", "bytes"))
        say(
            f"warning: {count:,} pictures ({size / 1e6:.1f} MB) travel along, with all that their files say "
            f"of place and camera. They are their owners': {manifest.provenance.get('licence')!r} is the "
            "licence of the features, so send only what you may",
            err=True,
        )
        yield folder


def _bars_on_terminals_only() -> None:
    """Keep the client's progress bars out of logs."""
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()


def _described(result: PushResult) -> str:
    name = f"{result.repo}@{result.version}"
    if result.status == "planned" and result.commit:
        return f"{name}: commit {result.commit} is there, only its tag is missing (dry run: nothing was sent)"
    if result.status == "planned":
        visible = "private" if result.private else "public"
        lines = [f"{name} ({visible}) would be published (dry run: nothing was sent)"]
        lines += [f"  send    {path}" for path in result.sent]
        lines += [f"  remove  {path}" for path in result.removed]
        return "\n".join(
            [*lines, f"  {len(result.sent)} files, {result.bytes} bytes at most", *_equal(result)]
        )
    if result.status == "already":
        return f"{name} is already published with this content: commit {result.commit}"
    done = "published" if result.status == "published" else "published (an interrupted push is completed)"
    visible = "only its members see the repository" if result.private else "everybody sees the repository"
    lines = [
        f"{name} {done}: commit {result.commit}, release {result.release_id}; {visible}",
        f'load it with: load_features("{result.repo}", version="{result.version}")',
    ]
    return "\n".join([*lines, *_equal(result)])


def _equal(result: PushResult) -> list[str]:
    """A line where another version holds the same content."""
    if result.equal_to is None:
        return []
    return [f"its content is that of version {result.equal_to}, to the byte"]


def pull(
    reference: Annotated[
        str,
        typer.Argument(
            help="OWNER/NAME or OWNER/NAME@X.Y.Z; with --format also a release folder, or that of a run, "
            "whose interactions go along."
        ),
    ],
    to: Annotated[Path, typer.Option(help="The folder to make.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Another tool's format, as `alignrec convert --help` lists them.",
        ),
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A set to write; may be given again.", metavar="NAME")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="With --format: add the interactions of this config's run, as split.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("-o", help="With --config: override a setting: -o out=elsewhere.", metavar="K=V"),
    ] = None,
    plugins: Plugins = None,  # noqa: ARG001 (loaded as the option is read)
    as_json: Json = False,
) -> None:
    """Download a published version, or write another tool's format.

    Every file is checked by its SHA-256.
    """
    _bars_on_terminals_only()
    if form is not None:
        if overrides and config is None:
            raise typer.BadParameter("-o goes with --config")
        answer = converted(reference, form, to, sets or [], config, overrides or [])
    elif sets or config or overrides:
        raise typer.BadParameter("--set, --config and -o go with --format")
    else:
        answer = _pulled(reference, to)
    line = answer.pop("line")
    say(json.dumps(answer) if as_json else line)


def _pulled(reference: str, to: Path) -> dict[str, object]:
    from alignrec.export.hub.pull import pull as pull_release
    from alignrec.export.hub.versions import split_reference

    found = pull_release(*split_reference(reference), to)
    name, files = f"{found.repo.name}@{found.version}", len(found.manifest.files)
    return {
        "repo": found.repo.name,
        "version": str(found.version),
        "commit": found.commit,
        "folder": str(to),
        "line": f"{name} is in {to}: {files} files checked, commit {found.commit}",
    }


def verify(
    target: Annotated[str, typer.Argument(help="A release folder, OWNER/NAME or OWNER/NAME@X.Y.Z.")],
    as_json: Json = False,
) -> None:
    """Check every file of a release against its manifest."""
    from alignrec.export.hub.pull import verify_version
    from alignrec.export.hub.versions import split_reference
    from alignrec.export.release.verify import verify_folder

    _bars_on_terminals_only()
    if Path(target).is_dir():
        manifest, name, commit = verify_folder(Path(target)), target, None
    else:
        found = verify_version(*split_reference(target))
        manifest, name, commit = found.manifest, f"{found.repo.name}@{found.version}", found.commit
    answer = {
        "release": name,
        "release_id": manifest.release_id,
        "files": len(manifest.files),
        "commit": commit,
    }
    where = f", commit {commit}" if commit else ""
    say(
        json.dumps(answer)
        if as_json
        else f"{name} is whole: {len(manifest.files)} files, release {manifest.release_id}{where}"
    )


def withdraw(
    reference: Annotated[str, typer.Argument(help="OWNER/NAME@X.Y.Z.")],
    reason: Annotated[str, typer.Option(help="Why: every later reader of the version is told.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Take a published version back: its tag goes, the card says why."""
    from alignrec.export.errors import ReleaseError
    from alignrec.export.hub.versions import split_reference
    from alignrec.export.hub.withdraw import withdraw as withdraw_version

    repo, version = split_reference(reference)
    if version is None:
        raise ReleaseError(f"{reference!r} names no version: expected OWNER/NAME@X.Y.Z")
    if not yes:
        typer.confirm(f"Withdraw version {version} of {repo}? Its name can never be used again", abort=True)
    noted = withdraw_version(repo, version, reason)
    say(f"{repo}@{version} is withdrawn ({noted.reason}); its commit {noted.commit} stays in the history")


def register(app: typer.Typer) -> None:
    """Add these commands to the main command."""
    app.command()(push)
    app.command()(pull)
    app.command()(verify)
    app.command()(withdraw)


push_features_app = typer.Typer(
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
push_features_app.command()(push)
