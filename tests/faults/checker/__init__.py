"""Says of the evidence of a trial whether exactly once held: properties C1 to C14.

Pure Python over plain values; no Kafka, no clock. What the counters must be is told by
`tests/model`, which shares nothing with the folds.

| property | what it says |
|---|---|
| C1 | every acknowledged event is in the log, at its place, as it was sent |
| C2 | no event whose send certainly failed is in the log |
| C3 | no event id twice in a topic, and no record twice in quarantine |
| C4 | two readers see the same at the same place |
| C5 | a key stays in its partition, and its events in their order, with no hole but failed ones |
| C6 | a reader's offsets grow, and it skips nothing |
| C7 | a committed position never goes back, but by an audited reset |
| C8 | a transaction's outputs are there whole, and only with its positions |
| C9 | every output, in order, is what its input leads to; what nobody can decode is in quarantine |
| C10 | every store is the fold of its log up to its offset |
| C11 | a store is never ahead of the committed position, and not behind it after an orderly end |
| C12 | each derived fact is there exactly once |
| C13 | when the faults are over everything is read, and no transaction stays open |
| C14 | a client's reads are committed values, and never go back |
"""
