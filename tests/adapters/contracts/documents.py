"""What documents promise, wherever they are kept."""

from typing import Protocol
from uuid import UUID

import pytest

from application.ports import Document, Documents

SUBJECT = UUID(int=5)
TEXT = "password: swordfish\n" * 20


class Shelf(Protocol):
    """Documents beside a log."""

    def reader(self) -> Documents:
        """One who has not seen any of them."""
        ...

    async def keep(self, document: Document) -> None:
        """Append something with a document."""
        ...


class DocumentsContract:
    """Subclasses give the fixture `shelf`."""

    @pytest.mark.parametrize("text", ["", "ä\n\x00", TEXT])
    @pytest.mark.parametrize("subject_id", [None, SUBJECT])
    async def test_a_document_is_read_as_it_was_kept(
        self, shelf: Shelf, text: str, subject_id: UUID | None
    ) -> None:
        document = await shelf.reader().prepare(text, subject_id)
        assert (document.ref.size, document.ref.subject_id) == (len(text.encode()), subject_id)
        await shelf.keep(document)
        assert await shelf.reader().read(document.ref) == text

    async def test_what_was_prepared_and_never_appended_is_not_there(self, shelf: Shelf) -> None:
        document = await shelf.reader().prepare(TEXT)
        with pytest.raises(LookupError):
            await shelf.reader().read(document.ref)

    async def test_the_same_text_is_the_same_document(self, shelf: Shelf) -> None:
        one, other = await shelf.reader().prepare(TEXT), await shelf.reader().prepare(TEXT)
        assert one == other

    async def test_the_same_text_of_a_subject_is_another_each_time(self, shelf: Shelf) -> None:
        one = await shelf.reader().prepare(TEXT, SUBJECT)
        other = await shelf.reader().prepare(TEXT, SUBJECT)
        assert one.ref.digest != other.ref.digest
