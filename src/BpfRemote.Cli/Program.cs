using BpfRemote.Cli;

using InterruptSignal interrupt = new();
return await new CommandLine(Terminal.OfProcess()).RunAsync(args, interrupt.Token);
