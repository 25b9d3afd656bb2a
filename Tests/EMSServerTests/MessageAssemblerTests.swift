import NIOCore
import NIOWebSocket
import Testing

@testable import EMSServer

@Suite("Putting WebSocket frames together")
struct MessageAssemblerTests {
    static let mask: WebSocketMaskingKey = [0x12, 0x34, 0x56, 0x78]

    private var assembler = MessageAssembler(sizeLimit: 16)

    /// A frame as a client sends it: its payload is masked.
    private func frame(
        _ opcode: WebSocketOpcode, _ payload: [UInt8], fin: Bool = true, rsv1: Bool = false, rsv2: Bool = false, rsv3: Bool = false
    ) -> WebSocketFrame {
        var data = ByteBuffer(bytes: payload)
        data.webSocketMask(Self.mask)
        return WebSocketFrame(fin: fin, rsv1: rsv1, rsv2: rsv2, rsv3: rsv3, opcode: opcode, maskKey: Self.mask, data: data)
    }

    private func frame(_ opcode: WebSocketOpcode, _ text: String, fin: Bool = true) -> WebSocketFrame {
        frame(opcode, Array(text.utf8), fin: fin)
    }

    /// The close code where the action is a failure.
    private func failure(_ action: MessageAssembler.Action) -> UInt16? {
        if case .fail(let code, _) = action { code } else { nil }
    }

    @Test("A frame is unmasked to a message", arguments: ["{}", "", "Grüße 🙂", "0123456789abcdef"])
    mutating func message(text: String) {
        #expect(assembler.receive(frame(.text, text)) == .message(text))
    }

    @Test("A frame without a mask breaks the protocol", arguments: [.text, .ping, .connectionClose] as [WebSocketOpcode])
    mutating func unmasked(opcode: WebSocketOpcode) {
        #expect(failure(assembler.receive(WebSocketFrame(fin: true, opcode: opcode, data: ByteBuffer()))) == 1002)
    }

    @Test("A reserved bit breaks the protocol, as no extension was agreed on", arguments: [1, 2, 3])
    mutating func reservedBits(bit: Int) {
        let frame = frame(.text, Array("{}".utf8), rsv1: bit == 1, rsv2: bit == 2, rsv3: bit == 3)
        #expect(failure(assembler.receive(frame)) == 1002)
    }

    @Test("Kinds of frames that are not defined break the protocol", arguments: [0x3, 0x7, 0xB, 0xF] as [UInt8])
    mutating func unknownOpcodes(code: UInt8) throws {
        let opcode = try #require(WebSocketOpcode(encodedWebSocketOpcode: code))
        #expect(failure(assembler.receive(frame(opcode, "x"))) == 1002)
    }

    @Test("Binary messages are not understood")
    mutating func binary() {
        #expect(failure(assembler.receive(frame(.binary, "{}"))) == 1003)
    }

    @Test("Fragments become one message, and the next message is a new one")
    mutating func fragments() {
        #expect(assembler.receive(frame(.text, "ab", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, "", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, "cd", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, "ef")) == .message("abcdef"))
        #expect(assembler.receive(frame(.text, "gh")) == .message("gh"))
    }

    @Test("A character may be divided between fragments")
    mutating func dividedCharacter() {
        let bytes = Array("🙂".utf8)
        #expect(assembler.receive(frame(.text, Array(bytes[..<2]), fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, Array(bytes[2...]))) == .message("🙂"))
    }

    @Test("An empty first fragment begins a message")
    mutating func emptyFragment() {
        #expect(assembler.receive(frame(.text, "", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, "a")) == .message("a"))
    }

    @Test("Control frames between fragments are handled at once and do not disturb the message")
    mutating func controlFrames() {
        #expect(assembler.receive(frame(.text, "ab", fin: false)) == .nothing)
        #expect(assembler.receive(frame(.ping, "hello")) == .ping(ByteBuffer(string: "hello")))
        #expect(assembler.receive(frame(.pong, "")) == .pong)
        #expect(assembler.receive(frame(.continuation, "cd")) == .message("abcd"))
    }

    @Test("A new message before the end of the last breaks the protocol")
    mutating func interleaved() {
        #expect(assembler.receive(frame(.text, "ab", fin: false)) == .nothing)
        #expect(failure(assembler.receive(frame(.text, "cd"))) == 1002)
    }

    @Test("There must be something to continue")
    mutating func nothingToContinue() {
        #expect(failure(assembler.receive(frame(.continuation, "ab"))) == 1002)
        #expect(assembler.receive(frame(.text, "ab")) == .message("ab"))
        #expect(failure(assembler.receive(frame(.continuation, "cd"))) == 1002)
    }

    @Test("A message over the limit is too large, in one frame or in many", arguments: [true, false])
    mutating func tooLarge(isWhole: Bool) {
        #expect(failure(assembler.receive(frame(.text, String(repeating: "x", count: 17), fin: isWhole))) == 1009)
    }

    @Test("Fragments are too large as soon as they pass the limit, not only at the end")
    mutating func tooManyFragments() {
        #expect(assembler.receive(frame(.text, String(repeating: "x", count: 10), fin: false)) == .nothing)
        #expect(assembler.receive(frame(.continuation, String(repeating: "x", count: 6), fin: false)) == .nothing)
        #expect(failure(assembler.receive(frame(.continuation, "x", fin: false))) == 1009)
    }

    @Test("The limit counts bytes, not characters")
    mutating func bytes() {
        #expect(assembler.receive(frame(.text, "🙂🙂🙂🙂")) == .message("🙂🙂🙂🙂"))
        #expect(failure(assembler.receive(frame(.text, "🙂🙂🙂🙂x"))) == 1009)
    }

    @Test(
        "A text that is not UTF-8 is refused",
        arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x61, 0xF0, 0x9F]] as [[UInt8]])
    mutating func invalidUTF8(bytes: [UInt8]) {
        #expect(failure(assembler.receive(frame(.text, bytes))) == 1007)
    }

    @Test(
        "A close frame tells its code; one without is a normal end",
        arguments: [
            ([], 1000), ([0x03, 0xE8], 1000), ([0x03, 0xE9], 1001), ([0x03, 0xF3], 1011), ([0x0B, 0xB8], 3000), ([0x0F, 0xA1], 4001),
            ([0x13, 0x87], 4999), ([0x03, 0xE8, 0x62, 0x79, 0x65], 1000),
        ] as [([UInt8], UInt16)])
    mutating func close(payload: [UInt8], code: UInt16) {
        #expect(assembler.receive(frame(.connectionClose, payload)) == .close(code: code))
    }

    @Test(
        "A malformed close frame breaks the protocol",
        arguments: [
            [0x03], [0x00, 0x00], [0x03, 0xE7], [0x03, 0xEC], [0x03, 0xED], [0x03, 0xEE], [0x03, 0xF7], [0x07, 0xD0], [0x0B, 0xB7],
            [0x13, 0x88], [0xFF, 0xFF], [0x03, 0xE8, 0xFF],
        ] as [[UInt8]])
    mutating func malformedClose(payload: [UInt8]) {
        #expect(failure(assembler.receive(frame(.connectionClose, payload))) == 1002)
    }
}
