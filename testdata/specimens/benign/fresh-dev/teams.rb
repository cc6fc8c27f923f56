# Chef: new Teams on Windows terminals
remote_file "#{Chef::Config[:file_cache_path]}/teamsbootstrapper.exe" do
  source 'https://go.microsoft.com/fwlink/?linkid=2243204&clcid=0x409'
end
execute 'provision teams' do
  command "#{Chef::Config[:file_cache_path]}/teamsbootstrapper.exe -p"
  not_if { powershell_out('(Get-AppxPackage -AllUsers MSTeams) -ne $null').stdout =~ /True/ }
end
