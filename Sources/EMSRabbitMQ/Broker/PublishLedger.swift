/// Which published messages the server has still to confirm: a value without I/O.
///
/// The server counts messages from 1 on each connection; a batch is done when all of its messages are, whatever came of them.
struct PublishLedger<Batch: Hashable> {
    enum Outcome: Equatable {
        case confirmed
        /// No queue takes messages of this kind.
        case unroutable(String)
        /// The server could not store one of them.
        case refused
    }

    private struct Entry {
        let batch: Batch
        let messageID: String
        var isDone = false
    }

    /// The unconfirmed messages, those from the front that are done being taken away.
    private var entries: [Entry] = []
    private var first = 0
    /// The number of the first entry.
    private var firstTag: UInt64 = 1
    private var remaining: [Batch: Int] = [:]
    private var failures: [Batch: Outcome] = [:]

    var isEmpty: Bool { remaining.isEmpty }
    /// The batches that are not done.
    var batches: [Batch] { Array(remaining.keys) }

    /// The messages of a batch go out, in this order.
    mutating func publish(_ batch: Batch, _ messageIDs: [String]) {
        precondition(remaining[batch] == nil && !messageIDs.isEmpty, "a batch goes out once, and is not empty")
        remaining[batch] = messageIDs.count
        entries += messageIDs.map { Entry(batch: batch, messageID: $0) }
    }

    /// A message came back: its confirm follows, and means nothing.
    mutating func returned(_ messageID: String, _ reason: String) {
        for entry in entries[first...] where !entry.isDone && entry.messageID == messageID {
            failures[entry.batch] = .unroutable(reason)
            return
        }
    }

    /// - Returns: the batches that are done with this.
    mutating func confirmed(_ tag: UInt64, isMultiple: Bool, isPositive: Bool) -> [(batch: Batch, outcome: Outcome)] {
        guard tag >= firstTag, tag - firstTag < UInt64(entries.count - first) else { return [] }
        let last = first + Int(tag - firstTag)
        var done: [(batch: Batch, outcome: Outcome)] = []
        for index in (isMultiple ? first : last)...last where !entries[index].isDone {
            entries[index].isDone = true
            let batch = entries[index].batch
            if !isPositive, failures[batch] == nil { failures[batch] = .refused }
            let rest = (remaining[batch] ?? 1) - 1
            remaining[batch] = rest
            if rest == 0 {
                remaining[batch] = nil
                done.append((batch, failures.removeValue(forKey: batch) ?? .confirmed))
            }
        }
        while first < entries.count, entries[first].isDone {
            first += 1
            firstTag += 1
        }
        if first > 1024, first * 2 > entries.count {
            entries.removeFirst(first)
            first = 0
        }
        return done
    }
}
