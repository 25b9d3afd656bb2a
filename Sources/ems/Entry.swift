import EMSCommands

@main
struct Entry {
    static func main() async {
        await CommandLineMain.run()
    }
}
