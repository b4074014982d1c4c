#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Checksum, multihash, verifier and the segments' MD5s, side by side.

hashlib releases the interpreter's lock for large blocks. So every digest has a
thread of its own, and the slowest one sets the pace, not their sum. A
digest that gets no thread is fed on the caller's.
"""

from concurrent import futures

from glance_store_bufswift import hash_threads
from glance_store_bufswift import hashes


class Digests:
    """All digests of one image, fed once with each byte.

    :param hashing_algo: hashlib's name of the multihash
    :param verifier: Glance's signature verifier, None for none
    :raises ConfigError: there is no such multihash
    """

    def __init__(
        self, hashing_algo: str, verifier: hashes.Digest | None = None
    ) -> None:
        made = hashes.new(hashing_algo)
        self._checksum = (
            hash_threads.MD5Thread(made.image)
            if made.one_pass is None
            else hash_threads.OnePassThread(made.one_pass)
        )
        self._segments = (
            self._checksum
            if made.segments is made.image
            else hash_threads.MD5Thread(made.segments)
        )
        self._multihash = made.multihash
        self._in_first_segment = True
        others = made.others if verifier is None else (*made.others, verifier)
        self._threads: list[hash_threads.HashThread] = [
            self._checksum,
            *map(hash_threads.HashThread, others),
        ]

    def update(self, block: bytes) -> None:
        """Hand a block to all digests, waiting for the slowest to keep up.

        :raises Exception: what the verifier raised
        """
        for thread in self._threads:
            thread.put(block)

    def end_segment(self) -> 'futures.Future[str]':
        """The MD5 in hex of what came since the last segment's end.

        Up to the first segment's end that is the checksum so far: an image
        of one object is hashed by MD5 only once.
        """
        if not self._in_first_segment:
            return self._segments.mark()
        self._in_first_segment = False
        if self._segments is not self._checksum:
            self._threads.append(self._segments)
        return self._checksum.mark()

    def finish(self) -> tuple[str, str]:
        """Wait for all digests; gives checksum and multihash in hex."""
        self.close()
        for thread in self._threads:
            thread.raise_error()
        return self._checksum.hexdigest(), self._multihash()

    def close(self) -> None:
        """End the threads, once they have taken all blocks."""
        for thread in self._threads:
            thread.close()
