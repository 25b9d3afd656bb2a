@testable import EMSCore
@testable import EMSServer
import NIOCore
import NIOEmbedded
import NIOWebSocket

/// Frames become messages of limited length, the same however the bytes were cut. Input: how many bytes come at a time, and the bytes.
@Sendable func fuzzWebSocket(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let step = Int(script.byte()) + 1
    let stream = script.remainder()
    let whole = actions(of: stream, step: max(1, stream.count))
    expect(actions(of: stream, step: step) == whole, "in pieces of \(step) bytes, the stream means something else")
    for action in whole {
        switch action {
        case .message(let text):
            expect(text.utf8.count <= WebSocketSession.Limit.messageBytes, "a message has \(text.utf8.count) bytes")
            _ = accepted { try ClientCommand(text) }
        case .ping(let data): expect(ServerFrame.pong(data).readableBytes <= 127, "a control frame is too long")
        case .close(let code): expect((1000...4999).contains(code), "\(code) is taken for a code to close with")
        case .fail(let code, let reason): _ = ServerFrame.close(code, reason: reason)
        case .pong, .nothing: break
        }
    }
    expectMessage(String(decoding: stream.prefix(WebSocketSession.Limit.messageBytes / 3), as: UTF8.self), fragmentSize: step)
}

/// A command is read or refused with an error of the catalogue.
@Sendable func fuzzClientCommand(_ bytes: [UInt8]) {
    _ = accepted { try ClientCommand(String(decoding: bytes, as: UTF8.self)) }
}

/// A session tells each notification once, in order and none that was told before; nothing once it is closing. Input: what happens, byte
/// by byte.
@Sendable func fuzzSession(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let holdLimit = Int(script.byte() % 8)
    var state = SessionState<Int64>(holdLimit: holdLimit)
    var isCaughtUp = false
    var held = 0
    var told: Int64 = .min
    while !script.isAtEnd {
        let wasOpen = state.isOpen
        switch script.byte() % 5 {
        case 0:
            let position = Int64(script.byte())
            switch state.received(position, at: position) {
            case .send(let frame):
                expect(wasOpen && isCaughtUp && frame == position && position > told, "\(position) is sent after \(told)")
            case .hold:
                held += 1
                expect(wasOpen && !isCaughtUp && held <= holdLimit, "\(held) notifications are held back")
            case .drop: expect(!wasOpen || isCaughtUp, "\(position) is lost")
            case .overflow: expect(!isCaughtUp && held == holdLimit, "it is too much already")
            }
        case 1 where !isCaughtUp || !wasOpen:
            let position = Int64(script.byte())
            let frames = state.caughtUp(to: position)
            expect(frames.allSatisfy { $0 > position } && frames.count <= held, "what was told is told again")
            expect(wasOpen || frames.isEmpty, "a closed session tells something")
            if wasOpen { (isCaughtUp, told) = (true, position) }
        case 2:
            let action = state.close(code: 1001)
            expect(action == (wasOpen ? .sendClose(1001) : .nothing), "closing: \(action)")
            expect(!state.isOpen, "a closed session is open")
        case 3:
            let actions = state.receivedClose(code: 1000)
            expect(actions.contains(.sendClose(1000)) == wasOpen, "answering: \(actions)")
            expect(!state.isOpen && state.receivedClose(code: 1000).isEmpty, "it closes twice")
        default:
            state.disconnected()
            expect(!state.isOpen, "a session outlives its connection")
        }
    }
}

/// What the session would be asked to do, up to the first error.
private func actions(of bytes: [UInt8], step: Int) -> [MessageAssembler.Action] {
    let channel = EmbeddedChannel(
        handler: ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketSession.Limit.messageBytes)))
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    var assembler = MessageAssembler(sizeLimit: WebSocketSession.Limit.messageBytes)
    var actions: [MessageAssembler.Action] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let isBroken = (try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(step)))) == nil
        rest = rest.dropFirst(step)
        while let frame = try? channel.readInbound(as: WebSocketFrame.self) {
            let action = assembler.receive(frame)
            actions.append(action)
            if case .fail = action { return actions }
        }
        if isBroken { break }
    }
    return actions
}

/// A text that is sent in fragments arrives as it is.
private func expectMessage(_ text: String, fragmentSize: Int) {
    var assembler = MessageAssembler(sizeLimit: WebSocketSession.Limit.messageBytes)
    var rest = Array(text.utf8)[...]
    var isFirst = true
    var action = MessageAssembler.Action.nothing
    repeat {
        let fragment = rest.prefix(fragmentSize)
        rest = rest.dropFirst(fragmentSize)
        var data = ByteBuffer(bytes: fragment)
        let key = WebSocketMaskingKey([0x12, 0x34, 0x56, 0x78])
        if let key { data.webSocketMask(key) }
        expect(action == .nothing, "\(action) within a message")
        action = assembler.receive(WebSocketFrame(fin: rest.isEmpty, opcode: isFirst ? .text : .continuation, maskKey: key, data: data))
        isFirst = false
    } while !rest.isEmpty
    expect(action == .message(text), "a message arrives as \(action)")
}
