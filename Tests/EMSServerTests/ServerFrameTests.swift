import NIOCore
import NIOWebSocket
import Testing

@testable import EMSServer

@Suite("Frames of the server")
struct ServerFrameTests {
    private func bytes(_ buffer: ByteBuffer) -> [UInt8] { Array(buffer.readableBytesView) }

    @Test(
        "A text is one final frame without a mask, its length in the shortest form",
        arguments: [
            (0, [0x81, 0x00]), (1, [0x81, 0x01]), (125, [0x81, 0x7D]), (126, [0x81, 0x7E, 0x00, 0x7E]), (65_535, [0x81, 0x7E, 0xFF, 0xFF]),
            (65_536, [0x81, 0x7F, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00]),
        ] as [(Int, [UInt8])])
    func lengths(count: Int, head: [UInt8]) {
        let payload = [UInt8](repeating: 0x78, count: count)
        #expect(bytes(ServerFrame.text(payload)) == head + payload)
    }

    @Test("A ping is empty, a pong carries back what the ping carried")
    func control() {
        #expect(bytes(ServerFrame.ping()) == [0x89, 0x00])
        #expect(bytes(ServerFrame.pong(ByteBuffer(string: "ab"))) == [0x8A, 0x02, 0x61, 0x62])
        #expect(bytes(ServerFrame.pong(ByteBuffer())) == [0x8A, 0x00])
    }

    @Test("A close frame holds its code and its reason")
    func close() {
        #expect(bytes(ServerFrame.close(1000)) == [0x88, 0x02, 0x03, 0xE8])
        #expect(bytes(ServerFrame.close(4001, reason: "bye")) == [0x88, 0x05, 0x0F, 0xA1, 0x62, 0x79, 0x65])
    }

    @Test(
        "A long reason is cut to what a control frame holds, and stays UTF-8",
        arguments: [
            String(repeating: "x", count: 500), "x" + String(repeating: "ü", count: 200), String(repeating: "…", count: 100),
            "xy" + String(repeating: "🙂", count: 100),
        ])
    func longReason(reason: String) throws {
        let frame = bytes(ServerFrame.close(1008, reason: reason))
        try #require(frame.count >= 4)
        #expect(frame[1] <= 125)
        #expect(frame.count == Int(frame[1]) + 2)
        let text = try #require(String(validating: frame[4...], as: UTF8.self))
        #expect(!text.isEmpty)
        #expect(reason.hasPrefix(text))
    }
}
