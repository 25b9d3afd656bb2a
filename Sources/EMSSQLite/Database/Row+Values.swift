import EMSCore
import GRDB

/// Reads columns by their place in the select list, and says which row is damaged where one does not hold what it should.
extension Row {
    func id<Subject>(_ index: Int) throws -> ID<Subject> {
        guard let id = ID<Subject>(self[index] as String) else { throw damaged("id") }
        return id
    }

    func timestamp(_ index: Int) -> Timestamp {
        Timestamp(milliseconds: self[index])
    }

    func optionalTimestamp(_ index: Int) -> Timestamp? {
        (self[index] as Int64?).map(Timestamp.init(milliseconds:))
    }

    func word<Value: RawRepresentable<String>>(_ index: Int, as type: Value.Type = Value.self) throws -> Value {
        guard let value = Value(rawValue: self[index]) else { throw damaged("\(type)") }
        return value
    }

    private func damaged(_ what: String) -> EMSError {
        EMSError(.storeCorrupt, "a row of the database holds an unknown \(what)", fix: "restore a backup")
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
        try first(sql, arguments) { $0[0] as Int? } ?? nil
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
        try integer("SELECT n FROM row_counts WHERE dimension = ? AND value = ?", [dimension, value]) ?? 0
    }
}
