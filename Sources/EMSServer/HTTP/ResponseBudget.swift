import EMSCore
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOConcurrencyHelpers
import NIOCore

/// Bounds the answers that wait for clients to read them: for each connection, for each user, and in all. A client that asks for much and
/// reads nothing must not fill the memory of the daemon.
final class ResponseBudget: Sendable {
    struct Limits: Sendable {
        var connection = 4 << 20
        var user = 16 << 20
        var total = 128 << 20
    }

    private struct State {
        var total = 0
        var byHolder: [String: Int] = [:]
    }

    private let limits: Limits
    private let state = NIOLockedValueBox(State())

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Answers up to this length fit the buffers that every connection has anyway.
    private static let freeBytes = 16 * 1024
    /// So much is handed to the connection at once; the rest waits for it to be writable.
    private static let pieceBytes = 16 * 1024

    /// An answer whose bytes count until the client has taken them.
    /// - Parameters:
    ///   - connection: the connection's name.
    ///   - user: who asked.
    /// - Throws: ``EMSError`` with ``ErrorCode/busy`` if there is no room for it.
    func counted(_ response: Response, connection: String, user: String) throws -> Response {
        guard let length = response.body.contentLength, length > Self.freeBytes else { return response }
        try take(length, "connection \(connection)", "user \(user)")
        let lease = Lease { [self] in give(length, "connection \(connection)", "user \(user)") }
        var response = response
        let body = response.body
        response.body = ResponseBody(contentLength: length) { writer in
            defer { lease.end() }
            let pieces = PieceWriter(parent: writer)
            try await body.write(pieces)
        }
        return response
    }

    /// Given back when the answer was written, or nobody holds it any more because it never will be.
    private final class Lease: Sendable {
        private let body: @Sendable () -> Void
        private let isOver = NIOLockedValueBox(false)

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }

        func end() {
            let wasOver = isOver.withLockedValue { isOver in
                defer { isOver = true }
                return isOver
            }
            if !wasOver { body() }
        }

        deinit { end() }
    }

    private func take(_ bytes: Int, _ connection: String, _ user: String) throws {
        let isGranted = state.withLockedValue { state in
            guard state.total + bytes <= limits.total, state.byHolder[connection, default: 0] + bytes <= limits.connection,
                state.byHolder[user, default: 0] + bytes <= limits.user
            else { return false }
            state.total += bytes
            state.byHolder[connection, default: 0] += bytes
            state.byHolder[user, default: 0] += bytes
            return true
        }
        guard isGranted else {
            throw EMSError(
                .busy, "too many bytes of earlier answers wait to be read", fix: "read them, or try again in a moment", retryAfter: 1)
        }
    }

    private func give(_ bytes: Int, _ connection: String, _ user: String) {
        state.withLockedValue { state in
            state.total -= bytes
            for holder in [connection, user] {
                let rest = state.byHolder[holder, default: 0] - bytes
                state.byHolder[holder] = rest > 0 ? rest : nil
            }
        }
    }

    private struct PieceWriter: ResponseBodyWriter {
        var parent: any ResponseBodyWriter

        mutating func write(_ buffer: ByteBuffer) async throws {
            var rest = buffer
            while let piece = rest.readSlice(length: min(rest.readableBytes, pieceBytes)), piece.readableBytes > 0 {
                try await parent.write(piece)
            }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
            try await parent.finish(trailingHeaders)
        }
    }
}
