import NIOCore
import NIOWebSocket

/// Puts frames together to messages (RFC 6455, section 5), as a value without I/O.
struct MessageAssembler {
    enum Action: Equatable {
        case message(String)
        case ping(ByteBuffer)
        case pong
        case close(code: UInt16)
        case nothing
        /// The peer broke the protocol: close with this code.
        case fail(code: UInt16, reason: String)
    }

    let sizeLimit: Int
    private var fragments: ByteBuffer?

    init(sizeLimit: Int) {
        self.sizeLimit = sizeLimit
    }

    mutating func receive(_ frame: WebSocketFrame) -> Action {
        guard frame.maskKey != nil else { return .fail(code: 1002, reason: "a client's frames must be masked") }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .fail(code: 1002, reason: "a reserved bit is set") }
        var data = frame.unmaskedData
        switch frame.opcode {
        case .text:
            guard fragments == nil else { return .fail(code: 1002, reason: "a new message began before the last one ended") }
            return finish(data, isLast: frame.fin)
        case .continuation:
            guard var collected = fragments else { return .fail(code: 1002, reason: "there is nothing to continue") }
            guard collected.readableBytes + data.readableBytes <= sizeLimit else { return tooLarge }
            collected.writeBuffer(&data)
            return finish(collected, isLast: frame.fin)
        case .binary:
            return .fail(code: 1003, reason: "messages are JSON text")
        case .ping:
            return .ping(data)
        case .pong:
            return .pong
        case .connectionClose:
            return close(&data)
        default:
            return .fail(code: 1002, reason: "an unknown kind of frame")
        }
    }

    private mutating func finish(_ data: ByteBuffer, isLast: Bool) -> Action {
        guard data.readableBytes <= sizeLimit else { return tooLarge }
        guard isLast else {
            fragments = data
            return .nothing
        }
        fragments = nil
        guard let text = String(validating: data.readableBytesView, as: UTF8.self) else {
            return .fail(code: 1007, reason: "the text is not UTF-8")
        }
        return .message(text)
    }

    private func close(_ data: inout ByteBuffer) -> Action {
        if data.readableBytes == 0 { return .close(code: 1000) }
        guard let code = data.readInteger(as: UInt16.self), Self.isValid(closeCode: code),
            String(validating: data.readableBytesView, as: UTF8.self) != nil
        else { return .fail(code: 1002, reason: "the close frame is malformed") }
        return .close(code: code)
    }

    /// What may stand in a close frame (RFC 6455, section 7.4).
    private static func isValid(closeCode code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    private var tooLarge: Action { .fail(code: 1009, reason: "a message has at most \(sizeLimit) bytes") }
}
