"""XLM-R's word pieces from a SentencePiece file: the library's own pieces, with fairseq's numbers."""

from __future__ import annotations

from pathlib import Path

from alignrec.core.documents import DocumentError, read_bytes
from alignrec.extractors.errors import ExtractorError

BEGIN, PAD, END, UNKNOWN = 0, 1, 2, 3
# SentencePiece numbers <unk>, <s>, </s> and then its pieces; fairseq <s>, <pad>, </s>, <unk> and then those.
_OFFSET = 1
_FIRST_PIECE = 3


class WordPieces:
    """Texts to ids and their number, as `XLMRobertaTokenizer` numbers them.

    Attributes:
        mask: the id that stands for a hidden word piece, the last.
        vocabulary: how many ids there are.
    """

    def __init__(self, path: Path) -> None:
        """Read a SentencePiece file, such as `beit3.spm`.

        Raises:
            ExtractorError: `sentencepiece` is not installed, or the file is none, or numbers its special
                pieces in another way than XLM-R's.
        """
        try:
            from sentencepiece import SentencePieceProcessor  # an extra
        except ImportError:
            raise ExtractorError(
                "word pieces of BEiT-3 need the package sentencepiece; install it with: "
                "pip install 'alignrec[beit3]'"
            ) from None
        try:
            content = read_bytes(path)
            self._processor = SentencePieceProcessor(model_proto=content)
        except (DocumentError, OSError, RuntimeError) as error:
            raise ExtractorError(f"{path}: expected a SentencePiece file: {error}") from None
        special = [self._processor.unk_id(), self._processor.bos_id(), self._processor.eos_id()]
        if special != [0, 1, 2]:
            raise ExtractorError(
                f"{path}: <unk>, <s> and </s> have the ids {special}, expected 0, 1 and 2, as XLM-R's have"
            )
        self.mask = len(self._processor) + _OFFSET
        self.vocabulary = self.mask + 1

    def __call__(self, text: str, longest: int) -> list[int]:
        """The ids of a text between those that begin and end it, cut to `longest` in all, which is 2 or more.

        From several threads at once.
        """
        pieces = self._processor.encode(text)[: longest - 2]
        ids = [piece + _OFFSET if piece >= _FIRST_PIECE else UNKNOWN for piece in pieces]
        return [BEGIN, *ids, END]
