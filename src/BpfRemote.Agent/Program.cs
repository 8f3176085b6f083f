using BpfRemote.Agent;
using BpfRemote.Agent.Hosting;

if (!AgentCommand.TryParse(args, out AgentOptions? options, out int exitCode))
{
    return exitCode;
}

return BrokerHost.IsFor(options) ? BrokerHost.Run(options, args) : await AgentHost.RunAsync(options);
