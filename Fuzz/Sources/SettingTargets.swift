@testable import EMSCommands
@testable import EMSCore
@testable import EMSMongoDB
@testable import EMSRabbitMQ
@testable import EMSRuntime

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What an operator writes: connection strings, places, lengths of time. It is read or refused, and a refusal never shows a password.
@Sendable func fuzzSettings(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let url = accepted({ try AMQPURL(text) }) {
        expect((0...65_535).contains(url.port), "the port is \(url.port)")
        expect((1...3600).contains(url.heartbeat), "the heartbeat is \(url.heartbeat) s")
        _ = url.server
    }
    if let url = accepted({ try MongoURL(text) }) {
        expect(url.connections > 0, "there are \(url.connections) connections")
        _ = url.database
        expect(!url.servers.contains("@"), "a user is shown: \(url.servers)")
    }
    _ = accepted { try StorePlace(text, environment: ["URL": text]) }
    if let rate = Settings.rate(text) { expect(rate.limit > 0 && rate.windowSeconds > 0, "\(text) is a rate of nothing") }
    _ = Settings.boolean(text)
    if let span = DurationArgument(argument: text) { expect(span.seconds > 0, "\(text) is no time") }
    _ = PlaceArgument(argument: text)
    for algorithm in TokenAlgorithm.allCases { _ = accepted { try TokenKey(id: "key", pem: text, algorithm: algorithm) } }
}

/// A configuration file is read or refused, and so is each of its settings.
@Sendable func fuzzConfiguration(_ bytes: [UInt8]) {
    let (path, file) = scratch
    let isWritten = ftruncate(file, 0) == 0 && pwrite(file, bytes, bytes.count, 0) == bytes.count
    expect(isWritten, "the file cannot be written")
    for profile in [nil, "staging"] {
        guard let sources = accepted({ try SettingSources(file: path, profile: profile, environment: [:]) }) else { continue }
        for key in SettingKey.allCases { _ = accepted { try sources.find(key) } }
    }
}

/// A file that has no name any more, and a path to it.
private let scratch: (path: String, descriptor: Int32) = {
    var template = Array("/tmp/ems-fuzz-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    expect(descriptor >= 0, "there is no file to write to")
    unlink(template)
    return ("/proc/self/fd/\(descriptor)", descriptor)
}()
