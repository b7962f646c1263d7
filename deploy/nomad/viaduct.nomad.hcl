# nomad job run deploy/nomad/viaduct.nomad.hcl
# Three application servers that register in Consul, and two web servers that find them there by SRV.
variable "image" {
  type    = string
  default = "registry.example/shop:1"
}

job "shop" {
  datacenters = ["*"]
  type        = "service"

  update {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "5s"
    auto_revert      = true
  }

  group "app" {
    count = 3

    network {
      port "http" {
        to = 8000
      }
    }

    service {
      name = "shop-app"
      port = "http"

      # The server binds its address before it imports the application, and is ready when its workers run.
      check {
        type     = "http"
        path     = "/-/ready"
        interval = "2s"
        timeout  = "1s"
      }
    }

    # The task first leaves Consul, and keeps serving until every web server knows.
    shutdown_delay = "5s"

    task "app" {
      driver       = "docker"
      kill_timeout = "45s"
      kill_signal  = "SIGTERM"

      config {
        image           = var.image
        args            = ["app", "--config", "/local/viaduct.toml", "--listen", "0.0.0.0:8000", "--workers", "2", "--access-log", "json"]
        ports           = ["http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "tmpfs"
          target = "/tmp"
        }
      }

      template {
        destination = "local/viaduct.toml"
        data        = <<-TOML
          # The web servers state who the client is. Let only the web servers reach these ports.
          trusted_proxies = ["private", "loopback"]
        TOML
      }

      resources {
        cpu    = 500
        memory = 512
      }
    }
  }

  group "web" {
    count = 2

    # Each web server runs on its own machine, at port 8080.
    constraint {
      distinct_hosts = true
    }

    network {
      port "http" {
        static = 8080
      }
    }

    service {
      name = "shop-web"
      port = "http"

      check {
        type     = "http"
        path     = "/-/ready"
        interval = "2s"
        timeout  = "1s"
      }
    }

    shutdown_delay = "5s"

    task "web" {
      driver       = "docker"
      kill_timeout = "45s"
      kill_signal  = "SIGTERM"

      config {
        image = var.image
        args  = ["web", "--config", "/local/viaduct.toml", "--listen", "0.0.0.0:8080", "--access-log", "json"]
        # The network of the machine: the web server sees the client's address, and reaches Consul's DNS at its default address.
        network_mode    = "host"
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        # The image's own health check connects to port 8000.
        healthchecks {
          disable = true
        }

        mount {
          type   = "tmpfs"
          target = "/tmp"
        }
      }

      template {
        destination   = "local/viaduct.toml"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = <<-TOML
          [[route]]
          path = "/*"
          proxy = "srv+http://shop-app.service.consul"
          [route.proxy_options]
          balance = "least-connections"
          [route.proxy_options.discovery]
          dns_servers = "127.0.0.1:8600"
        TOML
      }

      resources {
        cpu    = 250
        memory = 256
      }
    }
  }
}
