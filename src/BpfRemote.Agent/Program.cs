using BpfRemote.Agent;
using BpfRemote.Agent.Hosting;

return AgentCommand.TryParse(args, out AgentOptions? options, out int exitCode) ? await AgentHost.RunAsync(options) : exitCode;
