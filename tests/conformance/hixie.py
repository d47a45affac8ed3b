"""Cases for hixie-75 and hixie-76 (hybi-00). There was no suite for these; this one is as deep as the other."""

from hixie_case import CASES
from hixie_frames import closings, ends_of_stream, large, lengths, other_frames, splits, texts, utf_8
from hixie_handshakes import handshakes, keys, nonces

GROUPS = list(enumerate((handshakes, keys, nonces, texts, utf_8, other_frames, lengths, closings, ends_of_stream, large, splits), 1))
for _, fill in GROUPS:
    fill()
__all__ = ['CASES', 'GROUPS']
