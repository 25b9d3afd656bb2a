import Synchronization

/// What the records of one file have said so far, as digests: records that contradict each other are found wherever they stand in the file,
/// and a dry run knows what the real one would have stored by then. About 40 bytes a record.
public final class ImportMemory: Sendable {
    private let contents = Mutex<[Int: Int]>([:])
    private let names = Mutex<[ImportKey: EventID]>([:])

    public init() {}

    /// What was said under a name before, as a digest.
    func content(of name: some Hashable) -> Int? {
        contents.withLock { $0[name.hashValue] }
    }

    /// Which event of the file has this name elsewhere.
    func owner(of key: ImportKey) -> EventID? { names.withLock { $0[key] } }

    func note(owner id: EventID, of key: ImportKey) { names.withLock { $0[key] = id } }

    func note(_ name: some Hashable, _ content: some Hashable) {
        contents.withLock { $0[name.hashValue] = content.hashValue }
    }
}

/// What an import has stored, in the order of its writes, so that it can be undone where the store has no transaction that long.
public final class ImportLog: Sendable {
    enum Entry: Sendable {
        case createdEvent(Event)
        case changedEvent(before: Event, after: Event)
        case createdUser(UserID)
        case changedUser(UserID, back: UserChange)
    }

    private let entries = Mutex<[Entry]>([])

    public init() {}

    func append(_ entry: Entry) { entries.withLock { $0.append(entry) } }

    /// The last written first.
    func takeAll() -> [Entry] {
        entries.withLock { entries in
            defer { entries = [] }
            return entries.reversed()
        }
    }
}
