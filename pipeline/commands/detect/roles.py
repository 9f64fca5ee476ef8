"""How well a column fits a role: by what is in it, then by its name, which only decides between equals.

A scorer gives 0 to a column that cannot have the role, and up to 1 for what is in it; `best` adds a little
for a name that such columns have in the wild.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from alignrec.extractors.modality import AUDIO, Kind
from alignrec.pipeline.commands.detect.columns import Column

Scorer = Callable[[Column], float]

# Names that columns have in the wild, the likelier first; compared without case, blanks and underscores.
ITEM = (
    *("item_id", "sku", "asin", "parent_asin", "product_id", "movie_id", "article_id", "news_id", "book_id"),
    *("item", "product", "id", "article", "isbn", "uuid", "code"),
)
USER = (
    *("user_id", "customer_id", "reviewer_id", "uid", "user", "customer", "session_id", "member_id"),
    *("visitor_id", "client_id", "buyer_id", "account_id", "session", "reviewer", "visitor", "client"),
    *("buyer", "member"),
)
RATING = ("rating", "overall", "stars", "score", "review_score", "review_rating", "grade")
TIME = (
    *("timestamp", "unix_review_time", "time", "unixtime", "ts", "created_at", "date", "datetime"),
    *("event_time", "purchase_date", "order_date"),
)
# Parts of names: `main_image`, `poster_url`.
PICTURE = ("image", "img", "photo", "picture", "poster", "thumbnail", "cover", "filename")
SOUND = ("audio", "sound", "song", "music", "track", "preview", "recording", "voice", "mp3")
TEXT = (
    *("title", "name", "product_name", "headline", "brand", "categories", "category", "genres", "year"),
    *("description", "desc", "text", "body", "abstract"),
)
BONUS = 0.2  # what a name adds at most


def id_score(column: Column) -> float:
    """Ids of items: there in every row, nearly each once, short, without blanks."""
    if column.filled < 0.98 or column.distinct < 0.8 or column.fractions or column.urls:
        return 0
    if column.words > 1.5 or any(len(text) > 64 for text in column.texts[:200]):
        return 0
    if _is_file(column) or (column.times > 0.9 and not column.numbers):
        return 0.3
    return 1 if column.distinct > 0.98 else 0.5


def user_score(column: Column) -> float:
    """Ids of users: there in nearly every row, several of them, and some more than once."""
    if column.filled < 0.9 or not column.texts or column.fractions > 0.02 or column.times > 0.98:
        return 0
    if column.words > 2.5 or _is_file(column) or column.urls > 0.5:
        return 0
    few = len(set(column.texts)) <= min(12, len(column.texts) // 3)
    return 0.4 if few else 0.6 if column.distinct == 1 else 1


def time_score(column: Column) -> float:
    """Times: nearly all values look like some, and they are not all the same."""
    return column.times if column.times > 0.9 and len(set(column.texts)) > 1 else 0


def rating_score(column: Column) -> float:
    """Ratings: numbers on a scale; quantities look alike, so the name must be one of ratings'."""
    if not _rank(column.name, RATING) or column.numbers < 0.98 or len(set(column.texts)) > 101:
        return 0
    return 1 if all(-10 <= float(value) <= 100 for value in column.values) else 0


def text_score(column: Column) -> float:
    """Something to read: letters, more than one value, and no code, address, date or picture."""
    if column.letters < 0.5 or column.readable < 0.9 or _is_file(column) or column.urls > 0.5:
        return 0
    if column.times > 0.5 or len({str(value) for value in column.values}) < 2:
        return 0
    digits = column.share(lambda value: any(c.isdigit() for c in str(value)))
    if column.words <= 1.2 and column.distinct > 0.9 and digits > 0.5:
        return 0
    return 1


def best(columns: Iterable[Column], scorer: Scorer, names: Sequence[str]) -> Column | None:
    """The column that fits a role best; of equals, the one whose name is likelier, then the earlier one."""
    scored = [(score + BONUS * _rank(c.name, names), -c.position, c) for c in columns if (score := scorer(c))]
    return max(scored, key=lambda entry: entry[:2])[2] if scored else None


def is_called(column: Column, names: Sequence[str]) -> bool:
    """Whether a column has one of the names of a role."""
    return _rank(column.name, names) > 0


def names_files(column: Column, kind: Kind) -> bool:
    """Whether a column's name has a word for pictures, or for sounds, in it."""
    return any(word in _plain(column.name) for word in (SOUND if kind is AUDIO else PICTURE))


def _is_file(column: Column) -> bool:
    return column.pictures > 0.5 or column.sounds > 0.5


def in_reading_order(columns: Sequence[Column]) -> list[Column]:
    """Texts in the order of a template: known names first, long texts last."""

    def place(column: Column) -> tuple[bool, float, int]:
        return column.words > 15, -_rank(column.name, TEXT), column.position

    return sorted(columns, key=place)


def _rank(name: str, names: Sequence[str]) -> float:
    """1 for the likeliest of some names, less for the others, 0 for what is none of them."""
    plain = [_plain(known) for known in names]
    return 1 - plain.index(_plain(name)) / len(plain) if _plain(name) in plain else 0


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
