"""Follows the chain through the whole history and finds any change."""

from collections.abc import AsyncIterator, Iterable, Sequence

from audit.proof.checkpoints import Checkpoint
from audit.proof.sources import Block
from audit.rules import chain
from audit.rules.lines import leaf


class Verification:
    """Follows the chain block by block; `found` says in sentences what is wrong."""

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        self.found: list[str] = []
        self.rows = 0
        self.blocks = 0
        self.head = chain.EMPTY
        self._due = {one.rows: one for one in checkpoints}
        self.confirmed = 0

    def follow(self, block: Block) -> None:
        """Check one block: its place, its rows and their order, its digests, and a checkpoint at its end."""
        if (block.block, block.first) != (self.blocks + 1, self.rows + 1):
            self._say(f"block {block.block}: it does not follow block {self.blocks} and row {self.rows}")
        numbers = [number for number, _ in block.lines]
        expected = range(block.first, block.first + block.rows)
        if numbers != list(expected):
            wanted, there = set(expected), set(numbers)
            missing, foreign = sorted(wanted - there)[:5], sorted(there - wanted)[:5]
            self._say(f"block {block.block}: rows missing {missing}, foreign {foreign}, or twice")
        root = chain.root([leaf(text) for _, text in block.lines])
        if root != block.root:
            self._say(f"block {block.block}: rows {block.first} to {block.first + block.rows - 1} are not as recorded")
        self.head = chain.head(self.head, block.block, block.first, block.rows, block.recorded_at, root)
        if self.head != block.head:
            self._say(f"block {block.block}: the chain breaks here")
            self.head = block.head
        self.blocks, self.rows = block.block, block.first + block.rows - 1
        self._confirm()

    def _confirm(self) -> None:
        signed = self._due.pop(self.rows, None)
        if signed is None:
            return
        if signed.head == self.head:
            self.confirmed += 1
        else:
            self._say(f"row {self.rows}: the log is not the one that was signed")

    def end(self, notes: Sequence[str]) -> None:
        """After the last block: what was signed must have been seen; `notes` are the source's own findings."""
        for rows in sorted(self._due):
            self._say(f"row {rows}: a checkpoint was signed here, and no block ends here")
        self.found += notes

    def _say(self, text: str) -> None:
        self.found.append(text)


async def verify(blocks: AsyncIterator[Block], checkpoints: Sequence[Checkpoint], notes: list[str]) -> Verification:
    """Read everything; what the source notes while reading counts too."""
    verification = Verification(checkpoints)
    try:
        async for block in blocks:
            verification.follow(block)
    except ValueError as error:
        notes.append(f"after row {verification.rows} it cannot be read: {error}")
    verification.end(notes)
    return verification
