#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Feeds made-up bytes to whatever reads bytes from outside: libFuzzer, with the target that `EMS_FUZZ_TARGET` names.
///
/// A target returns, whatever the bytes are; a trap, a broken property, an input that takes too long or too much memory is a finding.
@main
struct Fuzz {
    typealias Target = @Sendable ([UInt8]) -> Void

    static let targets: [String: Target] = [
        "address": fuzzAddress,
        "broker": fuzzBroker,
        "bson": fuzzBSON,
        "bulk": fuzzBulk,
        "clock": fuzzClock,
        "command": fuzzClientCommand,
        "configuration": fuzzConfiguration,
        "csv": fuzzCSV,
        "cursor": fuzzCursor,
        "death": fuzzDeath,
        "draft": fuzzDraft,
        "duration": fuzzDuration,
        "header": fuzzHeaders,
        "http": fuzzHTTP,
        "json": fuzzJSON,
        "match": fuzzMatch,
        "parameter": fuzzParameters,
        "query": fuzzQuery,
        "session": fuzzSession,
        "setting": fuzzSettings,
        "text": fuzzText,
        "token": fuzzToken,
        "value": fuzzValues,
        "websocket": fuzzWebSocket,
    ]

    /// The one of this process.
    static let target: Target = {
        guard let name = getenv("EMS_FUZZ_TARGET").map({ String(cString: $0) }), let target = targets[name] else {
            print("EMS_FUZZ_TARGET must be one of \(targets.keys.sorted().joined(separator: ", "))")
            exit(64)
        }
        return target
    }()

    static func main() {
        if CommandLine.arguments.dropFirst() == ["--list"] { return print(targets.keys.sorted().joined(separator: "\n")) }
        _ = target
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runLibFuzzer(&count, &arguments, fuzzOneInput))
    }
}

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Fuzz.target(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// libFuzzer's own main loop.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ each: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
