import CMongoC
import EMSCore

/// A unique index refused a document. Stores turn it into what it means to them.
struct DuplicateKey: Error {
    /// The name of the index.
    let index: String
    /// Which documents of the write were refused, from 0. In an ordered write that is one, and those before it are stored; in another,
    /// all the rest is.
    let documents: [Int]

    var first: Int { documents.first ?? 0 }
}

/// libmongoc's and the server's errors as entries of the catalogue.
enum MongoFailure {
    static func message(_ error: bson_error_t) -> String {
        withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// - Parameter reply: what the server answered, where it did.
    static func described(_ error: bson_error_t, reply: OpaquePointer?, servers: String) -> any Error {
        if let duplicate = reply.flatMap(duplicate(in:)) { return duplicate }
        let text = Printable.stripped(message(error))
        if error.domain == MONGOC_ERROR_SERVER.rawValue, error.code == 11_000, let index = index(text) {
            return DuplicateKey(index: index, documents: [0])
        }
        if error.domain == MONGOC_ERROR_SERVER_SELECTION.rawValue, text.contains("Authentication failed") || text.contains("auth") {
            return refused(servers)
        }
        switch error.domain {
        case MONGOC_ERROR_SERVER_SELECTION.rawValue, MONGOC_ERROR_STREAM.rawValue:
            return unreachable(servers, text)
        case MONGOC_ERROR_CLIENT.rawValue where error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue:
            return refused(servers)
        case MONGOC_ERROR_WRITE_CONCERN.rawValue:
            return EMSError(
                .unreachable, "MongoDB at \(servers) took the write, but too few members confirmed it in time",
                fix: "check the replica set: rs.status()", retryAfter: 1)
        case MONGOC_ERROR_SERVER.rawValue: return server(Int(error.code), text, servers)
        // Numbers of the driver's own: the same number means something else to the server.
        case MONGOC_ERROR_BSON.rawValue where text.contains("too large"): return tooLarge
        default: return EMSError(.internal, "MongoDB's driver: \(text) (\(error.domain).\(error.code))", fix: "please report it")
        }
    }

    private static let tooLarge = EMSError(.tooLarge, "the document is larger than MongoDB takes (16 MiB)")

    /// The server's own codes: src/mongo/base/error_codes.yml.
    private static func server(_ code: Int, _ text: String, _ servers: String) -> EMSError {
        switch code {
        case 2 where text.contains("hint"), 291:
            EMSError(.configuration, "the database of MongoDB at \(servers) lacks an index", fix: "ems store migrate")
        case 18: refused(servers)
        case 13:
            EMSError(
                .permission, "MongoDB at \(servers) does not allow it to the user of mongodb_url",
                fix: "grant the role readWrite on the database")
        case 50, 202, 262: EMSError(.busy, "MongoDB at \(servers) took too long", fix: "try again in a moment", retryAfter: 1)
        // Ended from outside: killOp, a session that was killed, or a script past its time.
        case 237, 11_601: EMSError(.busy, "MongoDB at \(servers) ended the operation", fix: "try again in a moment", retryAfter: 1)
        case 64, 100:
            EMSError(
                .unreachable, "MongoDB at \(servers) has too few members for the write concern of mongodb_url",
                fix: "check the replica set: rs.status()", retryAfter: 1)
        // A primary that steps down, shuts down, or is no primary any more; and sockets that broke.
        case 6, 7, 89, 91, 189, 9001, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436: unreachable(servers, text)
        case 14_031: EMSError(.storeFull, "the disk of MongoDB at \(servers) is full; nothing was written", fix: "free some space")
        case 10_334: tooLarge
        default: EMSError(.internal, "MongoDB: \(text) (code \(code))", fix: "please report it")
        }
    }

    private static func unreachable(_ servers: String, _ text: String) -> EMSError {
        EMSError(
            .unreachable, "MongoDB at \(servers) cannot be reached (\(text))",
            fix: "check that it runs, and mongodb_url", retryAfter: 1)
    }

    private static func refused(_ servers: String) -> EMSError {
        EMSError(.permission, "MongoDB at \(servers) refuses the log-in", fix: "check user, password and authSource in mongodb_url")
    }

    /// The duplicates in `writeErrors`, where these are all that is wrong.
    private static func duplicate(in reply: OpaquePointer) -> DuplicateKey? {
        guard var reader = try? BSONReader(CDocument.bytes(of: reply)), var errors = try? reader.optionalDocument("writeErrors") else {
            return nil
        }
        var (index, documents): (String?, [Int]) = (nil, [])
        while var error = try? errors.next()?.nested() {
            guard (try? error.integer("code")) == 11_000 else { return nil }
            index = index ?? (try? error.text("errmsg")).flatMap(Self.index)
            guard let place = try? error.counter("index") else { return nil }
            documents.append(Int(place))
        }
        return index.map { DuplicateKey(index: $0, documents: documents) }
    }

    /// Reads `… index: users_email dup key: …`.
    private static func index(_ message: String) -> String? {
        guard let start = message.firstRange(of: "index: ")?.upperBound, let end = message.firstRange(of: " dup key")?.lowerBound,
            start < end
        else { return nil }
        return String(message[start..<end])
    }
}
