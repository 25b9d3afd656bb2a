import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What the framework alone can do: one route that answers with a constant.
///
///     BareRoute PORT BYTES
@main
enum BareRoute {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard arguments.count == 2 else { return print("usage: BareRoute PORT BYTES") }
        let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: arguments[1])
        let router = Router()
        router.get("/") { _, _ in
            Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: arguments[0]), serverName: nil),
            logger: Logger(label: "bare", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await application.runService()
    }
}
