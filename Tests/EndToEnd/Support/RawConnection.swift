import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A connection on which bytes go out as they are: for what a well-behaved client never sends, and to see every byte of the answer.
final class RawConnection: Sendable {
    /// A WebSocket frame of the server.
    struct Frame: Sendable, Equatable {
        let opcode: UInt8
        let payload: [UInt8]

        var text: String { String(decoding: payload, as: UTF8.self) }

        /// The code of a close frame.
        var closeCode: UInt16? {
            guard opcode == 8, payload.count >= 2 else { return nil }
            return UInt16(payload[0]) << 8 | UInt16(payload[1])
        }
    }

    /// The head of an HTTP answer.
    struct Answer: Sendable {
        let status: Int
        let lines: [String]

        func header(_ name: String) -> String? {
            let start = name.lowercased() + ":"
            guard let line = lines.first(where: { $0.lowercased().hasPrefix(start) }) else { return nil }
            return String(line.dropFirst(start.count).drop { $0 == " " })
        }
    }

    private struct Heard {
        var bytes: [UInt8] = []
        var isEnded = false
    }

    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private let heard = NIOLockedValueBox(Heard())
    private let port: Int

    init(port: Int) async throws {
        self.port = port
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let (channel, heard) = (channel, heard)
        Task {
            do {
                try await channel.executeThenClose { inbound, _ in
                    for try await buffer in inbound {
                        heard.withLockedValue { $0.bytes += Array(buffer.readableBytesView) }
                    }
                }
            } catch {
                // A connection that breaks has ended, too.
            }
            heard.withLockedValue { $0.isEnded = true }
        }
    }

    deinit {
        channel.channel.close(promise: nil)
    }

    /// Whether the server has closed the connection.
    var isEnded: Bool { heard.withLockedValue { $0.isEnded } }

    /// What was heard from a place on.
    func bytes(from start: Int) -> ArraySlice<UInt8> { heard.withLockedValue { $0.bytes[min(start, $0.bytes.count)...] } }

    /// Everything heard so far.
    var text: String { String(decoding: heard.withLockedValue { $0.bytes }, as: UTF8.self) }

    func close() async throws {
        try await channel.channel.close()
    }

    func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Asks to become a WebSocket.
    func askForWebSocket(_ path: String = "/ws/ws", headers: [String] = []) async throws {
        let lines =
            [
                "GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + headers
        try await send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// Waits for the head of the answer.
    func answer(within limit: Duration = .seconds(5)) async throws -> Answer {
        var head: [UInt8] = []
        try await eventually("the server answers", within: limit) {
            let bytes = heard.withLockedValue { $0.bytes }
            guard let end = Self.endOfHead(bytes) else {
                if isEnded { throw TimedOut(description: "the server closed the connection without an answer") }
                return false
            }
            head = Array(bytes[..<end])
            return true
        }
        let lines = head.split(separator: 10).map { String(decoding: $0.filter { $0 != 13 }, as: UTF8.self) }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return Answer(status: status ?? 0, lines: lines)
    }

    /// The WebSocket frames heard so far, after the head of the answer.
    var frames: [Frame] {
        let bytes = heard.withLockedValue { $0.bytes }
        guard var position = Self.endOfHead(bytes) else { return [] }
        var frames: [Frame] = []
        while position + 2 <= bytes.count {
            let opcode = bytes[position] & 0x0F
            var length = Int(bytes[position + 1] & 0x7F)
            position += 2
            if length == 126 {
                guard position + 2 <= bytes.count else { break }
                length = Int(bytes[position]) << 8 | Int(bytes[position + 1])
                position += 2
            }
            guard position + length <= bytes.count else { break }
            frames.append(Frame(opcode: opcode, payload: Array(bytes[position..<(position + length)])))
            position += length
        }
        return frames
    }

    /// Waits for the server's close frame.
    /// - Returns: its code.
    func closeCode(within limit: Duration = .seconds(5)) async throws -> UInt16? {
        try await eventually("the server closes the WebSocket", within: limit) { isEnded || frames.contains { $0.opcode == 8 } }
        return frames.first { $0.opcode == 8 }?.closeCode
    }

    /// A frame of a client, masked.
    /// - Parameter first: the first byte: the bits FIN and RSV, and the opcode.
    static func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        var bytes: [UInt8] = [first]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0x80 | 126, UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
        }
        bytes += key
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ key[index % 4]) }
        return bytes
    }

    /// A frame of a client, masked.
    static func frame(_ first: UInt8, _ text: String) -> [UInt8] {
        frame(first, Array(text.utf8))
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index + 4
        }
        return nil
    }
}
