import CMongoC
import EMSCore

/// A connection, for the length of one piece of work on one thread. Every call blocks until the server has answered.
///
/// All calls throw ``DuplicateKey`` where a unique index refuses, and otherwise ``EMSError``.
struct MongoConnection {
    /// Where a read may be answered from.
    enum ReadSource {
        /// By the primary: what this process has written is seen.
        case primary
        /// As the URL says (`readPreference=secondaryPreferred`): for lists.
        case url
    }

    final class ReadPreferences: @unchecked Sendable {
        // Sendable because neither is changed after init.
        fileprivate let primary: OpaquePointer
        fileprivate let url: OpaquePointer

        init(_ url: MongoURL) {
            primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY)
            self.url = mongoc_read_prefs_copy(mongoc_uri_get_read_prefs_t(url.pointer))
        }

        deinit {
            mongoc_read_prefs_destroy(primary)
            mongoc_read_prefs_destroy(url)
        }
    }

    struct UpdateResult {
        let matched: Int
        let modified: Int
    }

    let client: OpaquePointer
    let database: String
    let servers: String
    let readPreferences: ReadPreferences
    /// How long the server may work on a read, in milliseconds; `nil` where nobody else waits for it.
    let readMilliseconds: Int?

    typealias Build = (inout BSONWriter) -> Void

    // MARK: Reading

    /// The documents of a query, each converted as it comes; those converted to `nil` are left out.
    /// - Parameter options: `sort`, `limit`, `skip`, `projection`, `hint`, `readConcern`: see mongoc_collection_find_with_opts(3).
    func find<Value>(
        _ collection: Collection, where filter: Build = { _ in }, options: Build = { _ in }, from source: ReadSource = .primary,
        _ convert: (inout BSONReader) throws -> Value?
    ) throws -> [Value] {
        try withHandle(collection) { handle in
            let (filter, options) = (
                CDocument(filter),
                CDocument {
                    options(&$0)
                    limitTime(&$0)
                }
            )
            let cursor = mongoc_collection_find_with_opts(handle, filter.pointer, options.pointer, preference(source))
            return try read(cursor, convert)
        }
    }

    func first<Value>(
        _ collection: Collection, where filter: Build = { _ in }, options: Build = { _ in }, from source: ReadSource = .primary,
        _ convert: (inout BSONReader) throws -> Value?
    ) throws -> Value? {
        try find(
            collection, where: filter,
            options: {
                options(&$0)
                $0.member("limit", 1)
                $0.member("singleBatch", true)
            }, from: source, convert
        ).first
    }

    func exists(_ collection: Collection, where filter: Build) throws -> Bool {
        try first(collection, where: filter, options: { $0.document("projection") { $0.member("_id", 1) } }) { _ in true } ?? false
    }

    func aggregate<Value>(
        _ collection: Collection, from source: ReadSource = .primary, _ stages: (inout BSONArrayWriter) -> Void,
        _ convert: (inout BSONReader) throws -> Value?
    ) throws -> [Value] {
        try withHandle(collection) { handle in
            let pipeline = CDocument { $0.array("pipeline", stages) }
            let options = CDocument(limitTime)
            let cursor = mongoc_collection_aggregate(
                handle, MONGOC_QUERY_NONE, pipeline.pointer, options.pointer, preference(source))
            return try read(cursor, convert)
        }
    }

    /// How many documents match, counted up to `limit`.
    func count(
        _ collection: Collection, where filter: Build, hint: String? = nil, upTo limit: Int = .max, from source: ReadSource = .primary
    ) throws -> Int {
        try command(from: source) {
            $0.member("count", collection.rawValue)
            $0.document("query", filter)
            if limit < .max { $0.member("limit", limit) }
            if let hint { $0.member("hint", hint) }
            limitTime(&$0)
        } reading: {
            Int(try $0.counter("n"))
        }
    }

    /// How many documents the collection's own records say there are: at no cost, whatever the number.
    func recordedCount(_ collection: Collection, from source: ReadSource = .primary) throws -> Int {
        try command(from: source) {
            $0.member("count", collection.rawValue)
            limitTime(&$0)
        } reading: {
            Int(try $0.counter("n"))
        }
    }

    /// Past the limit the server ends the read itself, and answers with code 50
    /// (mongodb.com/docs/manual/tutorial/terminate-running-operations).
    private func limitTime(_ options: inout BSONWriter) {
        if let readMilliseconds { options.member("maxTimeMS", readMilliseconds) }
    }

    private func read<Value>(_ cursor: OpaquePointer?, _ convert: (inout BSONReader) throws -> Value?) throws -> [Value] {
        defer { mongoc_cursor_destroy(cursor) }
        var values: [Value] = []
        var document: OpaquePointer?
        while mongoc_cursor_next(cursor, &document) {
            guard let document else { break }
            var reader = try BSONReader(CDocument.bytes(of: document))
            if let value = try convert(&reader) { values.append(value) }
        }
        var error = bson_error_t()
        var reply: OpaquePointer?
        if mongoc_cursor_error_document(cursor, &error, &reply) {
            throw MongoFailure.described(error, reply: reply, servers: servers)
        }
        return values
    }

    // MARK: Writing

    func insert(_ collection: Collection, _ document: BSONDocument) throws {
        try withHandle(collection) { handle in
            let document = CDocument(document)
            try write { reply, error in mongoc_collection_insert_one(handle, document.pointer, nil, reply, error) }
        }
    }

    /// Inserts in the order given up to the first that is refused; with `ordered: false`, all that are not refused.
    func insert(_ collection: Collection, _ documents: [BSONDocument], ordered: Bool = true) throws {
        guard !documents.isEmpty else { return }
        try withHandle(collection) { handle in
            let documents = documents.map(CDocument.init)
            let options = CDocument { $0.member("ordered", ordered) }
            var pointers: [OpaquePointer?] = documents.map(\.pointer)
            try write { reply, error in
                mongoc_collection_insert_many(handle, &pointers, documents.count, options.pointer, reply, error)
            }
            withExtendedLifetime(documents) {}
        }
    }

    /// Inserts all that are not there yet.
    func insertMissing(_ collection: Collection, _ documents: [BSONDocument]) throws {
        do {
            try insert(collection, documents, ordered: false)
        } catch is DuplicateKey {
            // The others are stored: the write went on after each that was there already.
        }
    }

    @discardableResult
    func updateOne(
        _ collection: Collection, where filter: Build, _ update: Build, options: Build = { _ in }
    ) throws -> UpdateResult {
        try withHandle(collection) { handle in
            let (filter, update, options) = (CDocument(filter), CDocument(update), CDocument(options))
            return try write { reply, error in
                mongoc_collection_update_one(handle, filter.pointer, update.pointer, options.pointer, reply, error)
            } reading: {
                UpdateResult(matched: Int(try $0.integer("matchedCount")), modified: Int(try $0.integer("modifiedCount")))
            }
        }
    }

    @discardableResult
    func updateMany(_ collection: Collection, where filter: Build, _ update: Build) throws -> UpdateResult {
        try withHandle(collection) { handle in
            let (filter, update) = (CDocument(filter), CDocument(update))
            return try write { reply, error in
                mongoc_collection_update_many(handle, filter.pointer, update.pointer, nil, reply, error)
            } reading: {
                UpdateResult(matched: Int(try $0.integer("matchedCount")), modified: Int(try $0.integer("modifiedCount")))
            }
        }
    }

    func replaceOne(_ collection: Collection, where filter: Build, _ replacement: BSONDocument, upsert: Bool = false) throws {
        try withHandle(collection) { handle in
            let (filter, replacement) = (CDocument(filter), CDocument(replacement))
            let options = CDocument { $0.member("upsert", upsert) }
            try write { reply, error in
                mongoc_collection_replace_one(handle, filter.pointer, replacement.pointer, options.pointer, reply, error)
            }
        }
    }

    /// Updates the first document that matches, and reads it as it is then.
    /// - Returns: `nil` if none matches.
    func updated<Value>(
        _ collection: Collection, where filter: Build, _ update: Build, _ convert: (inout BSONReader) throws -> Value
    ) throws -> Value? {
        try withHandle(collection) { handle in
            let options = mongoc_find_and_modify_opts_new()
            defer { mongoc_find_and_modify_opts_destroy(options) }
            let (filter, update) = (CDocument(filter), CDocument(update))
            mongoc_find_and_modify_opts_set_update(options, update.pointer)
            mongoc_find_and_modify_opts_set_flags(options, .init(MONGOC_FIND_AND_MODIFY_RETURN_NEW.rawValue))
            return try write { reply, error in
                mongoc_collection_find_and_modify_with_opts(handle, filter.pointer, options, reply, error)
            } reading: { reply in
                guard var document = try reply.optionalDocument("value") else { return nil }
                return try convert(&document)
            }
        }
    }

    /// Updates by a pipeline, making the document where there is none, and reads it as it is then.
    func updatedByPipeline<Value>(
        _ collection: Collection, where filter: Build, _ stages: (inout BSONArrayWriter) -> Void,
        reading convert: (inout BSONReader) throws -> Value
    ) throws -> Value {
        try withHandle(collection) { handle in
            let options = mongoc_find_and_modify_opts_new()
            defer { mongoc_find_and_modify_opts_destroy(options) }
            let (filter, pipeline) = (CDocument(filter), CDocument(pipeline: stages))
            mongoc_find_and_modify_opts_set_update(options, pipeline.pointer)
            mongoc_find_and_modify_opts_set_flags(
                options, .init(MONGOC_FIND_AND_MODIFY_UPSERT.rawValue | MONGOC_FIND_AND_MODIFY_RETURN_NEW.rawValue))
            return try write { reply, error in
                mongoc_collection_find_and_modify_with_opts(handle, filter.pointer, options, reply, error)
            } reading: { reply in
                var document = try reply.document("value")
                return try convert(&document)
            }
        }
    }

    /// Updates all that match by a pipeline.
    @discardableResult
    func updateManyByPipeline(
        _ collection: Collection, where filter: Build, _ stages: (inout BSONArrayWriter) -> Void
    ) throws -> UpdateResult {
        try withHandle(collection) { handle in
            let (filter, pipeline) = (CDocument(filter), CDocument(pipeline: stages))
            return try write { reply, error in
                mongoc_collection_update_many(handle, filter.pointer, pipeline.pointer, nil, reply, error)
            } reading: {
                UpdateResult(matched: Int(try $0.integer("matchedCount")), modified: Int(try $0.integer("modifiedCount")))
            }
        }
    }

    /// - Returns: how many were deleted.
    @discardableResult
    func deleteMany(_ collection: Collection, where filter: Build) throws -> Int {
        try withHandle(collection) { handle in
            let filter = CDocument(filter)
            return try write { reply, error in
                mongoc_collection_delete_many(handle, filter.pointer, nil, reply, error)
            } reading: {
                Int(try $0.integer("deletedCount"))
            }
        }
    }

    // MARK: Commands

    /// Runs a command of the database, and reads the answer.
    @discardableResult
    func command<Value>(
        from source: ReadSource = .primary, _ command: Build, reading convert: (inout BSONReader) throws -> Value
    ) throws -> Value {
        let command = CDocument(command)
        return try write { reply, error in
            mongoc_client_command_simple(client, database, command.pointer, preference(source), reply, error)
        } reading: {
            try convert(&$0)
        }
    }

    // MARK: Below

    private func preference(_ source: ReadSource) -> OpaquePointer {
        switch source {
        case .primary: readPreferences.primary
        case .url: readPreferences.url
        }
    }

    private func withHandle<Value>(_ collection: Collection, _ body: (OpaquePointer?) throws -> Value) rethrows -> Value {
        let handle = mongoc_client_get_collection(client, database, collection.rawValue)
        defer { mongoc_collection_destroy(handle) }
        return try body(handle)
    }

    private func write(_ call: (OpaquePointer, UnsafeMutablePointer<bson_error_t>) -> Bool) throws {
        try write(call, reading: { _ in })
    }

    private func write<Value>(
        _ call: (OpaquePointer, UnsafeMutablePointer<bson_error_t>) -> Bool,
        reading convert: (inout BSONReader) throws -> Value
    ) throws -> Value {
        // The caller owns the memory of a reply, the callee what it holds: bson_t(3).
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<bson_t>.size, alignment: 128)
        let reply = OpaquePointer(memory)
        var error = bson_error_t()
        let isDone = call(reply, &error)
        defer {
            bson_destroy(reply)
            memory.deallocate()
        }
        guard isDone else { throw MongoFailure.described(error, reply: reply, servers: servers) }
        var reader = try BSONReader(CDocument.bytes(of: reply))
        return try convert(&reader)
    }
}

/// A document as libmongoc wants it, for as long as this lives.
final class CDocument {
    let pointer: OpaquePointer?

    init(_ document: BSONDocument) {
        pointer = document.bytes.withUnsafeBufferPointer { bson_new_from_data($0.baseAddress, $0.count) }
    }

    /// The bytes of a `bson_t`, for as long as it lives.
    static func bytes(of document: OpaquePointer) -> UnsafeRawBufferPointer {
        guard let start = UnsafeRawPointer(bson_get_data(document)) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        // A document begins with its length.
        return UnsafeRawBufferPointer(start: start, count: Int(start.loadUnaligned(as: Int32.self)))
    }

    convenience init(_ body: (inout BSONWriter) -> Void) {
        self.init(BSONDocument(body))
    }

    /// The stages of an update, as an array by itself: a document whose names are numbers.
    convenience init(pipeline stages: (inout BSONArrayWriter) -> Void) {
        var array = BSONDocument.empty
        let holder = BSONDocument { $0.array("0", stages) }
        if let element = try? holder.read({ reader in try reader.next().map { BSONDocument(bytes: Array($0.value)) } }) { array = element }
        self.init(array)
    }

    deinit {
        bson_destroy(pointer)
    }
}
