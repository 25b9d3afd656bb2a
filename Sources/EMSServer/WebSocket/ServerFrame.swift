import NIOCore
import NIOWebSocket

/// Encodes a frame of the server, which is never masked and never fragmented (RFC 6455, section 5.2), once for all who get it.
enum ServerFrame {
    static func text(_ bytes: [UInt8]) -> ByteBuffer {
        encode(.text, bytes)
    }

    static func ping() -> ByteBuffer { encode(.ping, []) }

    static func pong(_ data: ByteBuffer) -> ByteBuffer { encode(.pong, Array(data.readableBytesView)) }

    /// - Parameter reason: cut to what a control frame can hold.
    static func close(_ code: UInt16, reason: String = "") -> ByteBuffer {
        var shown: Substring = reason[...]
        while shown.utf8.count > 123 { shown = shown.dropLast() }
        return encode(.connectionClose, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(shown.utf8))
    }

    private static func encode(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: payload.count + 10)
        buffer.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
        switch payload.count {
        case ..<126:
            buffer.writeInteger(UInt8(payload.count))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
        return buffer
    }
}
