import EMSCore
import GRDB

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Reads columns by their place in the select list, and says which row is damaged where one does not hold what it should.
///
/// Whoever can write to the file may have put anything there: GRDB's own subscripts trap on a value of another type, these throw.
extension Row {
    func id<Subject>(_ index: Int) throws -> ID<Subject> {
        guard let id = ID<Subject>(try text(index)) else { throw damaged("id", index) }
        return id
    }

    func text(_ index: Int) throws -> String {
        guard let value = try optionalText(index) else { throw damaged("text", index) }
        return value
    }

    func optionalText(_ index: Int) throws -> String? { try optional(index, "text") }

    func integer(_ index: Int) throws -> Int64 {
        guard let value = try optionalInteger(index) else { throw damaged("integer", index) }
        return value
    }

    func optionalInteger(_ index: Int) throws -> Int64? { try optional(index, "integer") }

    /// A number that counts something, or a place in a sequence: not negative, and far enough from the end of its type that sums of
    /// some of them cannot overflow.
    func counter(_ index: Int) throws -> Int64 {
        let value = try integer(index)
        guard StoredCounter.range.contains(value) else { throw damaged("count", index) }
        return value
    }

    func number(_ index: Int) throws -> Double {
        guard let value = try optionalNumber(index) else { throw damaged("number", index) }
        return value
    }

    func optionalNumber(_ index: Int) throws -> Double? { try optional(index, "number") }

    func flag(_ index: Int) throws -> Bool { try integer(index) != 0 }

    func data(_ index: Int) throws -> Data {
        guard let value = try optionalData(index) else { throw damaged("blob", index) }
        return value
    }

    func optionalData(_ index: Int) throws -> Data? { try optional(index, "blob") }

    func timestamp(_ index: Int) throws -> Timestamp {
        guard let value = try optionalTimestamp(index) else { throw damaged("time", index) }
        return value
    }

    func optionalTimestamp(_ index: Int) throws -> Timestamp? {
        guard let milliseconds = try optionalInteger(index) else { return nil }
        guard let time = Timestamp(stored: milliseconds) else { throw damaged("time", index) }
        return time
    }

    func word<Value: RawRepresentable<String>>(_ index: Int, as type: Value.Type = Value.self) throws -> Value {
        guard let value = Value(rawValue: try text(index)) else { throw damaged("\(type)", index) }
        return value
    }

    /// `nil` for NULL.
    private func optional<Value: DatabaseValueConvertible>(_ index: Int, _ kind: String) throws -> Value? {
        guard index < count else { throw damaged(kind, index) }
        let stored: DatabaseValue = self[index]
        if stored.isNull { return nil }
        guard let value = Value.fromDatabaseValue(stored) else { throw damaged(kind, index) }
        return value
    }

    func damaged(_ what: String, _ index: Int) -> EMSError {
        let column = index < count ? Array(columnNames)[index] : "\(index)"
        return EMSError(
            .storeCorrupt, "a row of the database holds no valid \(what) in column \(Printable.quoted(column))", fix: "restore a backup")
    }
}

extension Database {
    /// The rows of a query, each converted as it comes: no row is kept.
    func all<Value>(_ sql: String, _ arguments: StatementArguments = [], _ convert: (Row) throws -> Value) throws -> [Value] {
        let cursor = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var values: [Value] = []
        while let row = try cursor.next() { values.append(try convert(row)) }
        return values
    }

    func first<Value>(_ sql: String, _ arguments: StatementArguments = [], _ convert: (Row) throws -> Value) throws -> Value? {
        let cursor = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        return try cursor.next().map(convert)
    }

    func integer(_ sql: String, _ arguments: StatementArguments = []) throws -> Int? {
        try first(sql, arguments) { try $0.optionalInteger(0).map { Int($0) } } ?? nil
    }

    /// Runs a statement.
    /// - Returns: how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ arguments: StatementArguments = []) throws -> Int {
        try cachedStatement(sql: sql).execute(arguments: arguments)
        return changesCount
    }

    /// The number kept for a value of a dimension in `row_counts`.
    func rowCount(_ dimension: String, _ value: String = "") throws -> Int {
        try first("SELECT n FROM row_counts WHERE dimension = ? AND value = ?", [dimension, value]) { Int(try $0.counter(0)) } ?? 0
    }
}
