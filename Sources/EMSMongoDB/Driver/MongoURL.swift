import CMongoC
import EMSCore

/// A connection string (mongodb.com/docs/manual/reference/connection-string), with our defaults where it says nothing:
/// 16 connections, 5 s to find a server, 5 s to connect, 10 s for an answer; a write counts when a majority of the members has it, for
/// which they have 8 s.
///
/// What it says about TLS, log-in, read and write concern, read preference, pool and time-outs is libmongoc's own to follow.
final class MongoURL: @unchecked Sendable {
    // Sendable because the parsed string is not changed after init.
    let pointer: OpaquePointer

    static let defaultConnections: Int32 = 16
    private static let serverSelectionMilliseconds: Int32 = 5000
    private static let connectMilliseconds: Int32 = 5000
    private static let socketMilliseconds: Int32 = 10_000
    private static let writeMilliseconds: Int32 = 8000

    /// - Parameter patient: for work that may take long on the server (building indexes): no limit for an answer.
    /// - Throws: ``EMSError`` that says what is wrong with the string, without showing it: it may hold a password.
    init(_ text: String, patient: Bool = false) throws {
        try Self.begin()
        var error = bson_error_t()
        guard let uri = mongoc_uri_new_with_error(text, &error) else {
            let reason = withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw Self.refusal(Self.isQuotable(reason) ? ": \(reason)" : "")
        }
        pointer = uri
        // libmongoc takes what stands behind the first of several @ for the host, and we would show the rest of a password with it.
        guard !servers.utf8.contains(UInt8(ascii: "@")) else { throw Self.refusal(": it has more than one @") }
        for (option, value) in [
            (MONGOC_URI_SERVERSELECTIONTIMEOUTMS, Self.serverSelectionMilliseconds),
            (MONGOC_URI_CONNECTTIMEOUTMS, Self.connectMilliseconds), (MONGOC_URI_MAXPOOLSIZE, Self.defaultConnections),
            (MONGOC_URI_SOCKETTIMEOUTMS, patient ? Int32.max : Self.socketMilliseconds), (MONGOC_URI_WTIMEOUTMS, Self.writeMilliseconds),
        ] where !mongoc_uri_has_option(uri, option) || (patient && option == MONGOC_URI_SOCKETTIMEOUTMS) {
            mongoc_uri_set_option_as_int32(uri, option, value)
        }
        if !mongoc_uri_has_option(uri, MONGOC_URI_W) { mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_W, "majority") }
        mongoc_uri_set_appname(uri, "ems")
    }

    private static func refusal(_ reason: String) -> EMSError {
        EMSError(
            .configuration, "mongodb_url is no connection string of MongoDB\(reason)",
            fix: "it looks like mongodb://user:password@host:27017/?replicaSet=rs0; special characters in user and password are"
                + " percent-encoded")
    }

    deinit {
        mongoc_uri_destroy(pointer)
    }

    var connections: Int {
        Int(min(max(1, mongoc_uri_get_option_as_int32(pointer, MONGOC_URI_MAXPOOLSIZE, Self.defaultConnections)), 256))
    }

    /// The database the string names, where it names one.
    var database: String? {
        mongoc_uri_get_database(pointer).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The servers as `host:port`, separated by commas: never with user or password.
    var servers: String {
        var names: [String] = []
        var host = mongoc_uri_get_hosts(pointer)
        while let current = host {
            names.append(withUnsafeBytes(of: current.pointee.host_and_port) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            host = UnsafePointer(current.pointee.next)
        }
        return names.joined(separator: ",")
    }

    /// libmongoc quotes what it could not read in some messages; those are kept to ourselves.
    private static func isQuotable(_ reason: String) -> Bool {
        !reason.contains("\"") && !reason.contains("'") && !reason.contains("://") && !reason.isEmpty
    }

    /// libmongoc wants to be initialised once, before anything else; its own narration on stderr is not for the operator.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where the library is not on this machine.
    private static func begin() throws { try initialised.get() }

    private static let initialised: Result<Void, EMSError> = {
        if let problem = ems_mongoc_load() {
            return .failure(
                EMSError(
                    .configuration, "libmongoc cannot be loaded: \(String(cString: problem))",
                    fix: "install it: apt-get install libmongoc-1.0-0"))
        }
        mongoc_log_set_handler(nil, nil)
        mongoc_init()
        return .success(())
    }()
}
