/// Keeps what was used lately, in two generations: when the young one is full, it becomes the old one, and what nobody has used since is
/// forgotten. Each call takes the same time, whatever the size.
public struct RecentCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Entry] = [:]
    private var old: [Key: Entry] = [:]
    private var youngCost = 0
    private let generationCost: Int

    private struct Entry: Sendable {
        let value: Value
        let cost: Int
    }

    /// - Parameter cost: what all that is kept may cost together.
    public init(cost: Int) {
        generationCost = max(1, cost / 2)
    }

    public mutating func value(for key: Key) -> Value? {
        if let entry = young[key] { return entry.value }
        guard let entry = old.removeValue(forKey: key) else { return nil }
        keep(entry, for: key)
        return entry.value
    }

    /// Keeps a value, unless it alone would cost as much as a generation may.
    public mutating func set(_ value: Value, for key: Key, cost: Int = 1) {
        old[key] = nil
        if let known = young.removeValue(forKey: key) { youngCost -= known.cost }
        guard cost < generationCost else { return }
        keep(Entry(value: value, cost: cost), for: key)
    }

    private mutating func keep(_ entry: Entry, for key: Key) {
        if youngCost + entry.cost > generationCost {
            old = young
            young = [:]
            youngCost = 0
        }
        young[key] = entry
        youngCost += entry.cost
    }
}
