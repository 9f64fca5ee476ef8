"""Ids as XLMRobertaTokenizer gives them."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from alignrec.extractors.backends.beit3.word_pieces import BEGIN, END, UNKNOWN, WordPieces
from alignrec.extractors.errors import ExtractorError

sentencepiece = pytest.importorskip("sentencepiece")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.extractors.backends.beit3.checkpoints import save_word_pieces

    return save_word_pieces(tmp_path_factory.mktemp("pieces"))


@pytest.mark.parametrize(
    "text", ["a red cotton shirt", "sleeves, for summer days", "redcotton", "  a   red ", "zebra 9!", "日本"]
)
def test_as_transformers_numbers_them(path: Path, text: str) -> None:
    """From the same pieces; it reads the file itself only with a package that nothing else needs."""
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    learned = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(3, len(processor))]
    special = [(name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")]
    theirs = transformers.XLMRobertaTokenizer(vocab=[*special, *learned, ("<mask>", 0.0)])
    pieces = WordPieces(path)
    assert pieces(text, 128) == theirs(text)["input_ids"]
    assert (pieces.mask, pieces.vocabulary) == (theirs.mask_token_id, len(theirs))


def test_special_ids(path: Path) -> None:
    assert WordPieces(path)("", 8) == [BEGIN, END]
    assert UNKNOWN in WordPieces(path)("日", 8)


def test_a_long_text_is_cut_and_still_ends(path: Path) -> None:
    whole = WordPieces(path)("a red cotton shirt with long sleeves", 128)
    cut = WordPieces(path)("a red cotton shirt with long sleeves", 5)
    assert cut == [*whole[:4], END]


def test_other_files_are_refused(tmp_path: Path, path: Path) -> None:
    wrong = tmp_path / "wrong.spm"
    wrong.write_bytes(b"no such model")
    with pytest.raises(ExtractorError, match=r"wrong\.spm: expected a SentencePiece file"):
        WordPieces(wrong)
    with pytest.raises(ExtractorError, match=r"absent\.spm: expected a SentencePiece file"):
        WordPieces(tmp_path / "absent.spm")
    with wrong.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a red shirt", "long sleeves"] * 20),
            model_writer=file,
            vocab_size=20,
            hard_vocab_limit=False,
            pad_id=0,
            unk_id=3,
            minloglevel=2,
        )
    with pytest.raises(ExtractorError, match=r"have the ids \[3, 1, 2\], expected 0, 1 and 2"):
        WordPieces(wrong)


def test_without_the_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: object) -> object:
        if name == "sentencepiece":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ExtractorError, match=r"pip install 'alignrec\[beit3\]'"):
        WordPieces(path)
