import Crypto

/// Copies everything from one store into another, and compares the two in the end.
///
/// Both are read in the order of the keys, a batch at a time: what is equal already is passed over, so that a copy that was cut short
/// goes on where it ended, and one that is repeated writes nothing.
public struct StoreCopier: Sendable {
    static let batchSize = 500

    private let source: any StoreTransfer
    private let target: any StoreTransfer

    public init(from source: any StoreTransfer, to target: any StoreTransfer) {
        self.source = source
        self.target = target
    }

    /// How one kind of records compares, after it was copied.
    public struct Comparison: Sendable, Equatable {
        public let kind: StoreRecord.Kind
        /// How many records were written.
        public let copied: Int
        public let source: Digest
        public let target: Digest

        public var isEqual: Bool { source == target }
    }

    /// How many records there are, and the SHA-256 of all of them in their order.
    public struct Digest: Sendable, Equatable {
        public let count: Int
        public let checksum: String
    }

    /// Copies what differs.
    /// - Parameters:
    ///   - dryRun: only counts what would be copied.
    ///   - progress: told of every batch: the kind, and how many records were looked at.
    /// - Returns: a comparison of each kind; with `dryRun`, as things are.
    public func copy(
        dryRun: Bool = false, progress: @Sendable (StoreRecord.Kind, Int) -> Void = { _, _ in }
    ) async throws -> [Comparison] {
        var copied: [StoreRecord.Kind: Int] = [:]
        for kind in StoreRecord.Kind.allCases {
            copied[kind] = try await copy(kind, dryRun: dryRun) { progress(kind, $0) }
        }
        if !dryRun { try await target.finish(source.streamExtent()) }
        var comparisons: [Comparison] = []
        for kind in StoreRecord.Kind.allCases {
            try Task.checkCancellation()
            comparisons.append(
                Comparison(
                    kind: kind, copied: copied[kind] ?? 0, source: try await Self.digest(of: kind, in: source),
                    target: try await Self.digest(of: kind, in: target)))
        }
        return comparisons
    }

    /// - Returns: how many records were written, or would be.
    private func copy(_ kind: StoreRecord.Kind, dryRun: Bool, _ progress: (Int) -> Void) async throws -> Int {
        var last: StoreRecord?
        var (looked, copied) = (0, 0)
        while true {
            try Task.checkCancellation()
            let batch = try await Self.batch(of: kind, after: last, in: source)
            if batch.isEmpty { return copied }
            let present = try await Self.batch(of: kind, after: last, in: target)
            if !present.starts(with: batch) {
                let missing = batch.filter { !present.contains($0) }
                if !dryRun, !missing.isEmpty { try await target.put(kind, missing) }
                copied += missing.count
            }
            last = batch.last
            looked += batch.count
            progress(looked)
        }
    }

    /// The next records, which must be in the order of their keys: else the store is damaged, and reading it might never end.
    private static func batch(
        of kind: StoreRecord.Kind, after last: StoreRecord?, in store: any StoreTransfer
    ) async throws -> [StoreRecord] {
        let batch = try await store.records(kind, after: last, limit: batchSize)
        var previous = last
        for record in batch {
            if let previous, !record.comes(after: previous) {
                throw EMSError(
                    .storeCorrupt, "the store is damaged: its \(kind.rawValue) are not in the order of their keys", fix: "restore a backup")
            }
            previous = record
        }
        return batch
    }

    private static func digest(of kind: StoreRecord.Kind, in store: any StoreTransfer) async throws -> Digest {
        var hash = SHA256()
        var (count, last): (Int, StoreRecord?) = (0, nil)
        while true {
            try Task.checkCancellation()
            let batch = try await batch(of: kind, after: last, in: store)
            if batch.isEmpty { break }
            for record in batch { hash.update(data: record.json()) }
            count += batch.count
            last = batch.last
        }
        let checksum = hash.finalize().prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return Digest(count: count, checksum: checksum)
    }
}
